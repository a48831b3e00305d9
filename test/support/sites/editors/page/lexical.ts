/** The real Lexical with plain text. It renders by itself: what a script writes into its element is undone. */
import { registerPlainText } from '@lexical/plain-text';
import { $createParagraphNode, $getRoot, COMMAND_PRIORITY_HIGH, createEditor, KEY_ENTER_COMMAND } from 'lexical';
import type { MountEditor } from './editor.ts';
import { surround } from './surroundings.ts';

export const mountEditor: MountEditor = (host, options = {}) => {
  const element = host.ownerDocument.createElement('div');
  element.setAttribute('contenteditable', 'true');
  element.setAttribute('role', 'textbox');
  host.append(element);
  const lexical = createEditor({
    namespace: 'composer',
    onError: (error) => {
      throw error;
    },
  });
  lexical.setRootElement(element);
  registerPlainText(lexical);
  const core = {
    element,
    text: () => lexical.getEditorState().read(() => $getRoot().getTextContent()),
    clear: () => lexical.update(() => void $getRoot().clear().append($createParagraphNode()), { discrete: true }),
  };
  const around = surround(host, core, options);
  lexical.registerCommand(KEY_ENTER_COMMAND, (event) => event !== null && around.entered(event), COMMAND_PRIORITY_HIGH);
  lexical.registerTextContentListener(() => around.changed());
  return around.editor;
};
