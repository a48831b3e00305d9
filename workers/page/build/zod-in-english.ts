/** Leaves the messages of zod in other languages out of a bundle: they are a third of it, and nothing shows them. */
import type { Plugin } from 'vite';

export const zodInEnglish: Plugin = {
  name: 'zod-in-english',
  enforce: 'pre',
  load(id) {
    return /[/\\]zod[/\\]v4[/\\]locales[/\\]index[.]js$/.test(id) ? "export { default as en } from './en.js';\n" : null;
  },
};
