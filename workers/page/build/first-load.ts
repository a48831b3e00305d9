/**
 * What a browser loads until the page shows what is now: the document and what it names, the catalogue of one language and
 * the first panel, with the static imports of these.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { brotliCompressSync, gzipSync } from 'node:zlib';

/** Compressed bytes of the first load. */
export const FIRST_LOAD_MAX_BYTES = 100 * 1024;

/** Chunks that are imported while the page starts, by their names. */
const AT_START = /^(en|now)-[\w-]+[.]js$/;

export interface LoadedFile {
  name: string;
  gzip: number;
  brotli: number;
}

/** The files of the first load of the page that was built into `folder`. */
export function firstLoad(folder: string): LoadedFile[] {
  const html = readFileSync(join(folder, 'index.html'), 'utf8');
  const names = ['index.html', ...[...html.matchAll(/(?:src|href)="\/(assets\/[^"]+)"/g)].map(([, name = '']) => name)];
  const atStart = readdirSync(join(folder, 'assets')).filter((name) => AT_START.test(name));
  const seen = new Set([...names, ...atStart.map((name) => `assets/${name}`)]);
  // Static imports only: `import(` loads later.
  for (const name of seen) {
    if (!name.endsWith('.js')) continue;
    const text = readFileSync(join(folder, name), 'utf8');
    for (const [, file] of text.matchAll(/(?:\bfrom|\bimport)\s*["']\.\/([^"']+\.js)["']/g)) seen.add(`assets/${file}`);
  }
  return [...seen].map((name) => {
    const bytes = readFileSync(join(folder, name));
    return { name, gzip: gzipSync(bytes).length, brotli: brotliCompressSync(bytes).length };
  });
}

export function totalOf(files: readonly LoadedFile[]): { gzip: number; brotli: number } {
  const sum = (size: (file: LoadedFile) => number) => files.reduce((total, file) => total + size(file), 0);
  return { gzip: sum(({ gzip }) => gzip), brotli: sum(({ brotli }) => brotli) };
}
