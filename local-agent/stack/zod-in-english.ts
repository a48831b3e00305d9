/** Leaves the messages of zod in other languages out of a bundle: nothing shows them. */
import type { Plugin } from 'esbuild';

export const zodInEnglish: Plugin = {
  name: 'zod-in-english',
  setup({ onLoad }) {
    onLoad({ filter: /[/\\]zod[/\\]v4[/\\]locales[/\\]index\.js$/ }, () => ({
      contents: "export { default as en } from './en.js';",
      loader: 'js',
    }));
  },
};
