/**
 * `npm run extension:build`: makes `dist/extension/mv2/` and `mv3/`, and an archive of each. It needs no network, and the
 * same sources give the same bytes. With `--out FOLDER` it writes there.
 */
import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { SITES } from '../sites/registry.ts';
import type { Files } from './archive.ts';
import { archiveOf } from './archive.ts';
import { extensionFiles } from './files.ts';
import type { ManifestVersion } from './manifest.ts';
import { MANIFEST_VERSIONS } from './manifest.ts';

const SOURCE = resolve(import.meta.dirname, '..');
const REPOSITORY = resolve(SOURCE, '..');

function packageVersion(): string {
  const { version } = JSON.parse(readFileSync(join(REPOSITORY, 'package.json'), 'utf8')) as { version: string };
  return version;
}

/** Replaces a folder by one with exactly these files. */
function replaceFolder(folder: string, files: Files): void {
  const made = `${folder}.${process.pid}.new`;
  for (const [path, contents] of files) {
    mkdirSync(dirname(join(made, path)), { recursive: true });
    writeFileSync(join(made, path), contents);
  }
  rmSync(folder, { recursive: true, force: true });
  renameSync(made, folder);
}

function replaceFile(path: string, contents: Uint8Array): void {
  writeFileSync(`${path}.${process.pid}.new`, contents);
  renameSync(`${path}.${process.pid}.new`, path);
}

/** Builds one manifest version into `out`; resolves with the path of the archive. */
async function buildInto(out: string, manifestVersion: ManifestVersion, version: string): Promise<string> {
  const files = await extensionFiles(manifestVersion, { source: SOURCE, version, sites: SITES });
  replaceFolder(join(out, `mv${manifestVersion}`), files);
  const archive = join(out, `baa-conductor-${version}-mv${manifestVersion}.xpi`);
  replaceFile(archive, archiveOf(files));
  return archive;
}

async function main(): Promise<void> {
  const { values } = parseArgs({ options: { out: { type: 'string' } } });
  const out = resolve(values.out ?? join(REPOSITORY, 'dist', 'extension'));
  mkdirSync(out, { recursive: true });
  const version = packageVersion();
  for (const manifestVersion of MANIFEST_VERSIONS) {
    process.stdout.write(`${await buildInto(out, manifestVersion, version)}\n`);
  }
}

try {
  await main();
} catch (error) {
  process.stderr.write(`extension:build: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}
