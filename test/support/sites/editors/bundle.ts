/**
 * The real editors of the chat sites, bundled for the fake pages. A page loads `/fake-editors/<name>.js` and calls
 * `fakeEditor.mountEditor(host, options)`; page/editor.ts describes the result.
 */
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

/** `prosemirror`: ChatGPT and, as TipTap, Claude. `quill`: Gemini. `lexical`: an editor that renders by itself. */
export const EDITORS = ['prosemirror', 'lexical', 'quill'] as const;
export type EditorName = (typeof EDITORS)[number];

const built = new Map<EditorName, Promise<string>>();

/** Built once for each run of the tests. */
export function editorScript(name: EditorName): Promise<string> {
  const ready = built.get(name) ?? buildEditor(name);
  built.set(name, ready);
  return ready;
}

async function buildEditor(name: EditorName): Promise<string> {
  const { outputFiles } = await build({
    entryPoints: [fileURLToPath(new URL(`page/${name}.ts`, import.meta.url))],
    bundle: true,
    write: false,
    format: 'iife',
    globalName: 'fakeEditor',
    target: 'firefox140',
    define: { 'process.env.NODE_ENV': '"production"' },
    logLevel: 'error',
  });
  const [script] = outputFiles;
  if (!script) throw new Error(`esbuild wrote nothing for the editor ${name}`);
  return script.text;
}
