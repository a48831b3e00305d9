/** The real Quill 2, with the clipboard that it keeps beside its editable element. */
import Quill from 'quill';
import type { MountEditor } from './editor.ts';
import type { Surroundings } from './surroundings.ts';
import { surround } from './surroundings.ts';

export const mountEditor: MountEditor = (host, options = {}) => {
  let around: Surroundings | null = null;
  const container = host.ownerDocument.createElement('div');
  host.append(container);
  const quill = new Quill(container, {
    // Plain text: Gemini's composer has no formats either.
    formats: [],
    modules: {
      keyboard: {
        bindings: {
          send: {
            key: 'Enter',
            handler: (_range: unknown, context: { event: KeyboardEvent }) => !around?.entered(context.event),
          },
        },
      },
    },
  });
  quill.root.setAttribute('role', 'textbox');
  const core = {
    element: quill.root,
    // A document of Quill always ends with a line end of its own.
    text: () => quill.getText().replace(/\n$/, ''),
    clear: () => void quill.setText(''),
  };
  around = surround(host, core, options);
  quill.on('text-change', () => around?.changed());
  return around.editor;
};
