/** Bundles the Worker into one module for the local runtime, for the stack and the benchmarks. */
import type { Plugin } from 'esbuild';
import { build } from 'esbuild';
import { REPOSITORY } from './layout.ts';

export interface BundleOptions {
  plugins?: Plugin[];
  sourcemap?: 'inline';
  minifySyntax?: boolean;
  minifyWhitespace?: boolean;
}

/** The module, and the files that it was made of. @throws Error when esbuild finds an error in the source */
export async function bundleWithInputs(
  main: string,
  options: BundleOptions = {},
): Promise<{ text: string; inputs: string[] }> {
  const { outputFiles, metafile } = await build({
    absWorkingDir: REPOSITORY,
    entryPoints: [main],
    bundle: true,
    write: false,
    metafile: true,
    format: 'esm',
    target: 'es2024',
    platform: 'neutral',
    conditions: ['workerd', 'worker', 'browser'],
    mainFields: ['browser', 'module', 'main'],
    external: ['cloudflare:*', 'node:*'],
    ...options,
  });
  const [output] = outputFiles;
  if (!output) throw new Error(`esbuild made no bundle of ${main}`);
  return { text: output.text, inputs: Object.keys(metafile.inputs) };
}

/** @throws Error when esbuild finds an error in the source */
export async function bundleWorker(main: string, options: BundleOptions = {}): Promise<string> {
  return (await bundleWithInputs(main, options)).text;
}
