/** Starts a Worker in the local runtime on a free port, over state on disk, and stops it at the end. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Plugin } from 'esbuild';
import type { V4MiniflareOptions } from 'miniflare';
import { convertV4MiniflareOptions, Log, LogLevel, Miniflare } from 'miniflare';
import { z } from 'zod';
import { bundleWorker } from '../../../local-agent/stack/bundle-worker.ts';
import { migrateEdge } from '../../../local-agent/stack/migrate-edge.ts';
import type { Cleanup } from '../harness/cleanup.ts';

const REPOSITORY = join(import.meta.dirname, '../../..');
const COMPATIBILITY_DATE = '2026-10-01';
export const BOOTSTRAP_TOKEN = 'bootstrap-token-of-the-benchmark';

export interface Running {
  /** `http://127.0.0.1:<port>` */
  url: string;
  runtime: Miniflare;
}

/** A socket may say so much a second; a benchmark asks what the edge could do. Nothing else is altered. */
const withoutFrameLimit: Plugin = {
  name: 'without-frame-limit',
  setup({ onLoad }) {
    onLoad({ filter: /schema\/defaults\.ts$/ }, async ({ path }) => {
      const source = await readFile(path, 'utf8');
      const contents = source.replace(/max_frames_per_sec: [\d_]+/g, 'max_frames_per_sec: 1_000_000_000');
      if (contents === source) throw new Error('schema/defaults.ts has no max_frames_per_sec any more');
      return { contents, loader: 'ts' };
    });
  },
};

type WorkerOptions = Extract<V4MiniflareOptions, { workers: unknown[] }>['workers'][number];

async function start(cleanup: Cleanup, worker: WorkerOptions): Promise<Running> {
  const runtime = new Miniflare(
    convertV4MiniflareOptions({
      host: '127.0.0.1',
      port: 0,
      cf: false,
      telemetry: { enabled: false },
      unsafeLocalExplorer: false,
      unsafeObservability: false,
      handleStructuredLogs: ({ level, message }) => {
        // A line for each request is the Worker's business; what went wrong is ours.
        if (level === 'error') console.error(message);
      },
      log: new Log(LogLevel.ERROR),
      resourcePersistencePath: cleanup.folder(),
      workers: [worker],
    }),
  );
  cleanup.add(runtime, (running) => running.dispose());
  return { url: (await runtime.ready).origin, runtime };
}

const esModule = (contents: string) => [{ type: 'ESModule' as const, path: 'index.js', contents }];

/** The minimal leases of `test/workers/bench/minimal.ts`. */
export async function startMinimal(cleanup: Cleanup): Promise<Running> {
  const running = await start(cleanup, {
    name: 'minimal',
    modules: esModule(await bundleWorker(fileURLToPath(import.meta.resolve('../../workers/bench/minimal.ts')))),
    compatibilityDate: COMPATIBILITY_DATE,
    d1Databases: { DB: 'minimal' },
    durableObjects: { MINIMAL: { className: 'MinimalLease', useSQLite: true } },
  });
  await fetch(`${running.url}/setup`);
  return running;
}

const WorkerOptionsSchema = z.looseObject({ bindings: z.record(z.string(), z.json()).default({}) });

/** The Worker of wrangler.toml with its migrations applied; `entryPoint` may wrap it. */
export async function startConductor(cleanup: Cleanup, entryPoint = 'workers/index.ts'): Promise<Running> {
  // It looks for the secrets of a developer, and says so: here they are the benchmark's own.
  process.env.WRANGLER_LOG ??= 'none';
  const { unstable_getMiniflareWorkerOptions } = await import('wrangler');
  const { workerOptions } = unstable_getMiniflareWorkerOptions(join(REPOSITORY, 'wrangler.toml'));
  const options = WorkerOptionsSchema.parse(workerOptions);
  const running = await start(cleanup, {
    ...options,
    name: 'conductor',
    modules: esModule(await bundleWorker(entryPoint, { plugins: [withoutFrameLimit] })),
    bindings: { ...options.bindings, BAA_BOOTSTRAP_TOKEN: BOOTSTRAP_TOKEN },
  });
  await migrateEdge(running.runtime);
  return running;
}
