/** The page side of a site of the extension, as a script that a test runs in a page of Firefox: `sitePage` is its global. */
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

/** `file`: from the root of the repository. It exports `page`, a `SitePage`. */
export async function pageSideScript(file: string): Promise<string> {
  const { outputFiles } = await build({
    entryPoints: [fileURLToPath(new URL(`../../../${file}`, import.meta.url))],
    bundle: true,
    write: false,
    format: 'iife',
    globalName: 'sitePage',
    target: 'firefox140',
    // A variable of an evaluated script would be gone with the evaluation.
    footer: { js: 'globalThis.sitePage = sitePage.page;' },
    logLevel: 'error',
  });
  const [script] = outputFiles;
  if (!script) throw new Error(`esbuild wrote nothing for ${file}`);
  return script.text;
}
