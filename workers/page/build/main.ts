/**
 * `npm run page:build`: makes the status page into `dist/page/`, hashed files and one document, and prints the compressed
 * size of its first load. It needs no network. With `--out FOLDER` it writes there.
 */
import { existsSync, mkdirSync, renameSync, rmSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { build } from 'vite';
import { firstDocument } from './first-document.ts';
import { FIRST_LOAD_MAX_BYTES, firstLoad, totalOf } from './first-load.ts';
import { zodInEnglish } from './zod-in-english.ts';

const SOURCE = resolve(import.meta.dirname, '..');
const REPOSITORY = resolve(SOURCE, '..', '..');
const MAX_TRIES = 5;
/** What start.ts imports: it comes before the rest. */
const AT_START =
  /page[/\\](start|icon|api[/\\](early|first-paths)|panels[/\\]registry|shell[/\\](frame|match-address|id-address)|texts[/\\]texts)[.]ts$|preload-helper/;

async function buildInto(out: string): Promise<void> {
  await build({
    root: SOURCE,
    configFile: false,
    envDir: false,
    logLevel: 'warn',
    mode: 'production',
    plugins: [zodInEnglish, ...firstDocument],
    oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
    build: {
      outDir: out,
      emptyOutDir: true,
      target: 'es2024',
      cssTarget: ['chrome123', 'firefox121', 'safari17.5'],
      // Its policy allows no `data:` address.
      assetsInlineLimit: 0,
      modulePreload: { polyfill: false },
      reportCompressedSize: false,
      // Zod is one file, so that the settings count before the first contract is made. What several panels share is one file too: as
      // many small ones they would cost a slow network a round trip for every few. The first script has its modules to itself.
      rolldownOptions: {
        output: {
          codeSplitting: {
            groups: [
              { name: 'start', test: AT_START, priority: 3 },
              { name: 'zod', test: /[/\\]zod[/\\]|zod-settings/, priority: 2 },
              { name: 'shared', minShareCount: 3, priority: 1 },
            ],
          },
        },
      },
    },
  });
}

/** Replaces the folder. Another build may put its own there between the two steps: both have the same files. */
function putInPlace(made: string, out: string): void {
  const old = `${made}.old`;
  for (let tries = 1; ; tries += 1) {
    try {
      // Renamed, not removed: a removal takes so long that a build beside this one would come between each time.
      if (existsSync(out)) renameSync(out, old);
      renameSync(made, out);
      return;
    } catch (error) {
      if (tries === MAX_TRIES) throw error;
    } finally {
      rmSync(old, { recursive: true, force: true });
    }
  }
}

const kilobytes = (bytes: number): string => `${(bytes / 1024).toFixed(1)} KB`;

async function main(): Promise<void> {
  const { values } = parseArgs({ options: { out: { type: 'string' } } });
  const out = resolve(values.out ?? resolve(REPOSITORY, 'dist', 'page'));
  mkdirSync(dirname(out), { recursive: true });
  // Built beside it and put in its place whole: a system that starts meanwhile finds one or the other.
  const made = `${out}.${process.pid}.new`;
  await buildInto(made);
  const files = firstLoad(made);
  const { gzip, brotli } = totalOf(files);
  for (const file of files) {
    process.stdout.write(`  ${file.name.padEnd(40)} ${kilobytes(file.gzip)} gzip, ${kilobytes(file.brotli)} brotli\n`);
  }
  process.stdout.write(`first load of the status page: ${kilobytes(gzip)} gzip, ${kilobytes(brotli)} brotli\n`);
  if (gzip > FIRST_LOAD_MAX_BYTES) {
    throw new Error(
      `the first load has ${kilobytes(gzip)} compressed, and may have ${kilobytes(FIRST_LOAD_MAX_BYTES)}`,
    );
  }
  putInPlace(made, out);
}

try {
  await main();
} catch (error) {
  process.stderr.write(`page:build: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}
