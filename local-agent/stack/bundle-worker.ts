/** Bundles the Worker into one module for the local runtime, for the stack and the benchmarks. */
import type { Plugin } from 'esbuild';
import { build } from 'esbuild';
import { REPOSITORY } from './layout.ts';

/** @throws Error when esbuild finds an error in the source */
export async function bundleWorker(
  main: string,
  options: { plugins?: Plugin[]; sourcemap?: 'inline' } = {},
): Promise<string> {
  const result = await build({
    absWorkingDir: REPOSITORY,
    entryPoints: [main],
    bundle: true,
    write: false,
    format: 'esm',
    target: 'es2024',
    platform: 'neutral',
    conditions: ['workerd', 'worker', 'browser'],
    mainFields: ['browser', 'module', 'main'],
    external: ['cloudflare:*', 'node:*'],
    ...options,
  });
  const [output] = result.outputFiles;
  if (!output) throw new Error(`esbuild made no bundle of ${main}`);
  return output.text;
}
