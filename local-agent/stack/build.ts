/**
 * `npm run build`: makes this program into plain JavaScript in `dist/conductor/`, one file for each process, which starts faster
 * and takes less memory. It notes the files that it was made of, by which `built.js` sees whether it is current. It needs no
 * network. With `--out FOLDER` it writes there.
 */
import { existsSync, mkdirSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import type { Plugin } from 'esbuild';
import { build } from 'esbuild';
import { isBuilt } from './built.js';
import { REPOSITORY } from './layout.ts';
import { makeWorkerSource, WORKER_FILE } from './worker-source.ts';
import { zodInEnglish } from './zod-in-english.ts';

const OUT = join(REPOSITORY, 'dist', 'conductor');
/** Sources below `local-agent/`; each becomes `dist/conductor/<name>.js`, where `programFile` looks for it. */
const PROGRAMS = [
  'cli',
  'stack/agent',
  'stack/main',
  'stack/edge',
  'stack/supervise',
  'stack/end-with-parent',
  'host/watchdog-thread',
  'runner/runner',
  'tools/regex-worker',
];
/** They find their own programs and files by their place. */
const APART = ['miniflare', 'wrangler', 'esbuild'];
/** Besides the sources: the versions of all packages. */
const FURTHER_INPUTS = ['package.json', 'package-lock.json', 'wrangler.toml'];
/** Packages in the older form ask for modules of Node by this name. */
const REQUIRE = "import { createRequire as requireOf } from 'node:module'; const require = requireOf(import.meta.url);";

/**
 * Loads the local runtime by `require`: of a package in the older form that is imported, Node keeps the source twice, which are
 * 24 MB in the process of the edge.
 */
const requiredRuntime: Plugin = {
  name: 'required-runtime',
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^miniflare$/ }, ({ kind, path }) =>
      kind === 'import-statement' ? { path, namespace: 'required' } : { path, external: true },
    );
    onLoad({ filter: /./, namespace: 'required' }, ({ path }) => ({
      contents: `module.exports = require('${path}');`,
      resolveDir: REPOSITORY,
    }));
  },
};

/** Escapes what esbuild leaves, in regular expressions: V8 keeps a source with one character beyond Latin-1 in twice the bytes. */
function inAscii(source: string): string {
  return source.replace(/[^\0-\x7f]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

async function buildInto(out: string): Promise<string[]> {
  const { metafile, outputFiles } = await build({
    absWorkingDir: REPOSITORY,
    entryPoints: PROGRAMS.map((name) => `local-agent/${name}.ts`),
    entryNames: '[name]',
    outdir: out,
    bundle: true,
    format: 'esm',
    platform: 'node',
    target: 'node22',
    external: APART,
    plugins: [zodInEnglish, requiredRuntime],
    write: false,
    banner: { js: REQUIRE },
    minifySyntax: true,
    minifyWhitespace: true,
    legalComments: 'none',
    metafile: true,
    logLevel: 'warning',
  });
  mkdirSync(out);
  for (const { path, text } of outputFiles) writeFileSync(path, inAscii(text));
  return Object.keys(metafile.inputs).filter((path) => !path.startsWith('required:'));
}

/** Replaces the folder, unless another build of the same files was faster: a program may have started from it by now. */
function putInPlace(made: string, out: string): void {
  if (out === OUT && isBuilt()) {
    rmSync(made, { recursive: true });
    return;
  }
  const old = `${made}.old`;
  if (existsSync(out)) renameSync(out, old);
  renameSync(made, out);
  rmSync(old, { recursive: true, force: true });
}

/** What a file was when it was read: changed later, it is not this any more. */
function stampOf(path: string): [number, number] {
  const { mtimeMs, size } = statSync(join(REPOSITORY, path));
  return [mtimeMs, size];
}

async function main(): Promise<void> {
  const { values } = parseArgs({ options: { out: { type: 'string' } } });
  const out = resolve(values.out ?? OUT);
  mkdirSync(dirname(out), { recursive: true });
  const made = `${out}.${process.pid}.new`;
  const began = Date.now();
  const worker = await makeWorkerSource({ minifySyntax: true, minifyWhitespace: true });
  const ours = [...(await buildInto(made)), ...worker.inputs].filter((path) => !path.includes('node_modules/'));
  const inputs = [...new Set([...ours, ...FURTHER_INPUTS])].sort();
  writeFileSync(join(made, WORKER_FILE), JSON.stringify(worker.source));
  const stamps = inputs.map((path) => [path, ...stampOf(path)] as const);
  // A file that changed during the build may have been read before.
  const isCurrent = stamps.every(([, mtimeMs]) => mtimeMs < began);
  const record = { folder: REPOSITORY, inputs: isCurrent ? stamps : [] };
  writeFileSync(join(made, 'inputs.json'), JSON.stringify(record));
  putInPlace(made, out);
}

// Wrangler reports that this shell has no secret of the Worker, which nothing here needs.
process.env.WRANGLER_LOG ??= 'error';
try {
  await main();
} catch (error) {
  process.stderr.write(`build: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}
