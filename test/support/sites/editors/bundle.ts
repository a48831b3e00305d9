/**
 * The real editors of the chat sites, for the fake pages. A page loads `/fake-editors/<name>.js` and calls
 * `fakeEditor.mountEditor(host, options)`, or bundles page/<name>.ts into its own script; page/editor.ts describes both.
 */
import { fileURLToPath } from 'node:url';
import { pageScript } from '../bundle.ts';

/** `prosemirror`: ChatGPT and, as TipTap, Claude. `quill`: Gemini. `lexical`: an editor that renders by itself. */
export const EDITORS = ['prosemirror', 'lexical', 'quill'] as const;
export type EditorName = (typeof EDITORS)[number];

export function editorScript(name: EditorName): Promise<string> {
  return pageScript(fileURLToPath(new URL(`page/${name}.ts`, import.meta.url)), 'fakeEditor');
}
