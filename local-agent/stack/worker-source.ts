/**
 * The Worker of `wrangler.toml` as the local runtime takes it: its options and its module. The built program has both beside it;
 * as source, wrangler and esbuild make them at each start, which costs the process of the edge 200 MB for as long as it runs.
 */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { stop as stopEsbuild } from 'esbuild';
import { z } from 'zod';
import { IS_BUILT } from '../host/program-file.ts';
import type { BundleOptions } from './bundle-worker.ts';
import { bundleWithInputs } from './bundle-worker.ts';
import { REPOSITORY } from './layout.ts';
import { zodInEnglish } from './zod-in-english.ts';

/** The options that the edge reads; all others are passed through unchanged. */
const OptionsSchema = z.looseObject({
  cronTriggers: z.array(z.string()).default([]),
  bindings: z.record(z.string(), z.json()).default({}),
  assets: z.looseObject({ directory: z.string() }),
});
const SourceSchema = z.object({ options: OptionsSchema, script: z.string() });
export type WorkerSource = z.infer<typeof SourceSchema>;

/** Its name beside the built program. */
export const WORKER_FILE = 'worker.json';
const BUILT = join(import.meta.dirname, WORKER_FILE);

/** Makes it from the sources; `inputs` are the files of its module. It holds no secret. */
export async function makeWorkerSource(
  options: BundleOptions = {},
): Promise<{ source: WorkerSource; inputs: string[] }> {
  const { unstable_getMiniflareWorkerOptions, unstable_readConfig } = await import('wrangler');
  const path = join(REPOSITORY, 'wrangler.toml');
  const config = unstable_getMiniflareWorkerOptions(path);
  // Wrangler adds secrets of this shell and of files beside its own; they must not be kept here.
  const { vars } = unstable_readConfig({ config: path });
  const { text, inputs } = await bundleWithInputs(config.main ?? 'workers/index.ts', {
    ...options,
    plugins: [zodInEnglish],
  });
  // It has a process of its own, which is not needed afterwards.
  await stopEsbuild();
  return {
    source: { options: OptionsSchema.parse({ ...config.workerOptions, bindings: vars }), script: text },
    inputs,
  };
}

export async function workerSource(): Promise<WorkerSource> {
  if (IS_BUILT && existsSync(BUILT)) return SourceSchema.parse(JSON.parse(readFileSync(BUILT, 'utf8')));
  return (await makeWorkerSource({ sourcemap: 'inline' })).source;
}
