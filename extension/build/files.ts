/** Every file of the built extension: bundles of the entries, static files and the manifest. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { build } from 'esbuild';
import type { ManifestFacts, ManifestVersion } from './manifest.ts';
import { ENTRIES, ICON, manifestOf, OPTIONS_PAGE } from './manifest.ts';
import { preactWithoutHtml } from './preact-without-html.ts';
import { zodInEnglish } from './zod-in-english.ts';

/** Of Firefox 140, the oldest that the manifest admits. */
const TARGET = 'firefox140';
/** Folders and the endings of the files in them that are copied as they are. */
const STATIC: readonly [folder: string, endings: RegExp][] = [
  ['icons', /[.](svg|png)$/],
  ['options', /[.](html|css)$/],
  ['_locales', /[/]messages[.]json$/],
];

export interface SourceFacts extends Omit<ManifestFacts, 'hasLocales'> {
  /** The folder of the extension's sources. */
  source: string;
}

/** @throws Error that names the files that are missing */
function requireSources(source: string): void {
  const missing = [...Object.values(ENTRIES), OPTIONS_PAGE, ICON].filter((path) => !existsSync(join(source, path)));
  if (missing.length === 0) return;
  const paths = missing.map((path) => join(source, path));
  throw new Error(`the extension cannot be built, because these files are missing: ${paths.join(', ')}`);
}

async function bundles(source: string): Promise<Map<string, Uint8Array>> {
  const result = await build({
    absWorkingDir: source,
    entryPoints: { ...ENTRIES },
    outdir: '/',
    bundle: true,
    write: false,
    format: 'iife',
    target: TARGET,
    platform: 'browser',
    charset: 'utf8',
    legalComments: 'inline',
    jsx: 'automatic',
    jsxImportSource: 'preact',
    plugins: [preactWithoutHtml, zodInEnglish],
    loader: { '.css': 'text', '.svg': 'text' },
    define: { 'process.env.NODE_ENV': '"production"' },
    logLevel: 'silent',
  });
  return new Map(result.outputFiles.map(({ path, contents }) => [relative('/', path), contents]));
}

function staticFiles(source: string): Map<string, Uint8Array> {
  const paths = STATIC.flatMap(([folder, endings]) => {
    if (!existsSync(join(source, folder))) return [];
    return readdirSync(join(source, folder), { recursive: true, encoding: 'utf8' })
      .map((path) => `${folder}/${path.replaceAll('\\', '/')}`)
      .filter((path) => endings.test(path));
  });
  return new Map(paths.map((path) => [path, readFileSync(join(source, path))]));
}

/** @throws Error when a source is missing or esbuild refuses one */
export async function extensionFiles(
  manifestVersion: ManifestVersion,
  { source, ...facts }: SourceFacts,
): Promise<Map<string, Uint8Array>> {
  requireSources(source);
  const copied = staticFiles(source);
  const hasLocales = [...copied.keys()].some((path) => path.startsWith('_locales/'));
  const manifest = manifestOf(manifestVersion, { ...facts, hasLocales });
  const text = new TextEncoder().encode(`${JSON.stringify(manifest, null, 2)}\n`);
  return new Map([...copied, ...(await bundles(source)), ['manifest.json', text]]);
}
