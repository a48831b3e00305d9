/** Draws an answer as each renderer does. In the app shell, code can be drawn by CodeMirror, which leaves out what is not visible. */
import { EditorState } from '@codemirror/state';
import { EditorView } from '@codemirror/view';
import MarkdownIt from 'markdown-it';
import type { PageSettings } from '../html.ts';

const PRIVATE_MARKS = /\uE200[^\uE201\n]*\uE201|[\uE200-\uE206]/g;
const markdown = new MarkdownIt();

interface DrawnCode {
  language: string;
  code: string;
}

export function drawAnswer(host: HTMLElement, text: string, settings: PageSettings): void {
  host.innerHTML = markdown.render(text.replace(PRIVATE_MARKS, ''));
  if (settings.renderer === 'legacy') return;
  for (const pre of host.querySelectorAll('pre')) {
    const code = pre.querySelector('code');
    const language = /language-(\S+)/.exec(code?.className ?? '')?.[1] ?? '';
    pre.replaceWith(shellCode({ language, code: code?.textContent ?? '' }, settings));
  }
}

function shellCode({ language, code }: DrawnCode, { hasCodeEditor, language: page }: PageSettings): HTMLElement {
  const block = document.createElement('div');
  block.dataset.markdownCopy = 'code-block';
  const header = document.createElement('div');
  header.dataset.markdownCopy = 'exclude';
  const copy = document.createElement('button');
  copy.textContent = page === 'zh' ? '复制' : 'Copy';
  header.append(Object.assign(document.createElement('span'), { textContent: language }), copy);
  block.append(header);
  if (hasCodeEditor) {
    const doc = code.replace(/\n$/, '');
    const extensions = [EditorView.editable.of(false), EditorView.contentAttributes.of({ 'data-language': language })];
    new EditorView({ parent: block, state: EditorState.create({ doc, extensions }) });
    return block;
  }
  const pre = document.createElement('pre');
  pre.append(Object.assign(document.createElement('code'), { textContent: code }));
  block.append(pre);
  return block;
}
