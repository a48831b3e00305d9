/** Leaves the messages of zod in other languages out of a bundle: they are a third of it, and nothing shows them. */
import type { Plugin } from 'esbuild';

export const zodInEnglish: Plugin = {
  name: 'zod-in-english',
  setup(build) {
    build.onLoad({ filter: /[/\\]zod[/\\]v4[/\\]locales[/\\]index[.]js$/ }, () => ({
      contents: "export { default as en } from './en.js';\n",
      loader: 'js',
    }));
  },
};
