/** The document of the page: the frames in both languages, and what it will need, which the browser then asks for at once. */
import type { Plugin, Rolldown } from 'vite';
import { framesHtml } from '../shell/frame-html.ts';

const MARK = '<!-- frames -->';
/** What the first script imports first: without this hint, the browser would ask for it a round trip later. */
const MAIN = /[/\\]page[/\\]main[.]tsx$/;

const frames: Plugin = {
  name: 'frames',
  transformIndexHtml: {
    order: 'pre',
    handler: (html) => {
      if (!html.includes(MARK)) throw new Error(`index.html has no ${MARK}`);
      return html.replace(MARK, framesHtml());
    },
  },
};

const preloadOfMain: Plugin = {
  name: 'preload-of-main',
  transformIndexHtml: {
    order: 'post',
    handler: (html, { bundle = {} }) => {
      const chunks = Object.values(bundle).filter((file) => file.type === 'chunk');
      const main = chunks.find(({ facadeModuleId }) => MAIN.test(facadeModuleId ?? ''));
      if (main === undefined) throw new Error('the build has no chunk of main.tsx');
      const names = [main.fileName, ...importsOf(main, bundle)].filter((name) => !html.includes(name));
      return names.map((name) => ({
        tag: 'link',
        attrs: { rel: 'modulepreload', crossorigin: true, href: `/${name}` },
        injectTo: 'head',
      }));
    },
  },
};

function importsOf(chunk: Rolldown.OutputChunk, bundle: Rolldown.OutputBundle): string[] {
  const seen = new Set<string>();
  const look = ({ imports }: Rolldown.OutputChunk): void => {
    for (const name of imports) {
      const file = bundle[name];
      if (seen.has(name) || file?.type !== 'chunk') continue;
      seen.add(name);
      look(file);
    }
  };
  look(chunk);
  return [...seen];
}

export const firstDocument: readonly Plugin[] = [frames, preloadOfMain];
