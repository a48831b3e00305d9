/** The real ProseMirror as a chat composer: paragraphs and hard breaks, pastes of plain text line by line. */
import { baseKeymap, chainCommands, exitCode } from 'prosemirror-commands';
import { history, redo, undo } from 'prosemirror-history';
import { keymap } from 'prosemirror-keymap';
import { Fragment, Schema, Slice } from 'prosemirror-model';
import { schema as basic } from 'prosemirror-schema-basic';
import type { Command } from 'prosemirror-state';
import { EditorState } from 'prosemirror-state';
import { EditorView } from 'prosemirror-view';
import type { MountEditor } from './editor.ts';
import type { Surroundings } from './surroundings.ts';
import { surround } from './surroundings.ts';

const { doc, paragraph, text, hard_break } = basic.spec.nodes.toObject();
const schema = new Schema({ nodes: { doc, paragraph, text, hard_break } as Record<string, object> });

const breakLine: Command = chainCommands(exitCode, (state, dispatch) => {
  const node = schema.nodes.hard_break?.create();
  if (!node) return false;
  dispatch?.(state.tr.replaceSelectionWith(node).scrollIntoView());
  return true;
});

/** A paragraph for each line, the empty ones too. */
function linesOf(plain: string): Slice {
  const lines = plain.split(/\r\n?|\n/);
  const paragraphs = lines.map((line) => schema.node('paragraph', null, line === '' ? [] : [schema.text(line)]));
  return new Slice(Fragment.from(paragraphs), 1, 1);
}

function initialState(): EditorState {
  const keys = keymap({ 'Mod-z': undo, 'Mod-y': redo, 'Shift-Enter': breakLine });
  return EditorState.create({ schema, plugins: [history(), keys, keymap(baseKeymap)] });
}

export const mountEditor: MountEditor = (host, options = {}) => {
  let around: Surroundings | null = null;
  const view = new EditorView(host, {
    state: initialState(),
    ...(options.pasteDropsBlankLines ? {} : { clipboardTextParser: linesOf }),
    handleKeyDown: (_view, event) => around?.entered(event) ?? false,
    dispatchTransaction: (transaction) => {
      view.updateState(view.state.apply(transaction));
      if (transaction.docChanged) around?.changed();
    },
  });
  const core = {
    element: view.dom,
    text: () => view.state.doc.textBetween(0, view.state.doc.content.size, '\n', '\n'),
    clear: () => view.updateState(initialState()),
  };
  around = surround(host, core, options);
  return around.editor;
};
