/**
 * Takes out of preact the one place that sets HTML from text (`dangerouslySetInnerHTML`): no part of the extension may
 * turn text into HTML, and the linter of add-ons warns of it. Such text is then shown as text.
 */
import { readFileSync } from 'node:fs';
import type { Plugin } from 'esbuild';

const SETS_HTML = /\.innerHTML=(?=\w+\.__html\b)/g;

/** @throws Error when preact does not set HTML in exactly one place */
export function withoutHtml(source: string, path: string): string {
  const count = source.match(SETS_HTML)?.length ?? 0;
  if (count !== 1) {
    throw new Error(
      `${path} sets HTML in ${count} places where 1 was known; correct extension/build/preact-without-html.ts`,
    );
  }
  return source.replace(SETS_HTML, '.textContent=');
}

export const preactWithoutHtml: Plugin = {
  name: 'preact-without-html',
  setup(build) {
    build.onLoad({ filter: /[/\\]preact[/\\]dist[/\\]preact[.]mjs$/ }, ({ path }) => ({
      contents: withoutHtml(readFileSync(path, 'utf8'), path),
      loader: 'js',
    }));
  },
};
