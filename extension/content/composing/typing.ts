/**
 * Ways of putting text into an editor, through the input paths that the editor itself has. None of them presses Enter: an
 * editor may send on it. Each gives false when the editor did not take it; whether the text is right is for the caller to
 * compare.
 */
import type { TypingMethod } from '../../sites/page.ts';
import { chunksOf } from './text.ts';

export interface TypingJob {
  element: HTMLElement;
  /** With `\n` as its only line break. */
  text: string;
  chunkChars: number | null;
  /** Lets the page work, and throws when the typing was canceled. */
  pause(): Promise<void>;
}

/** A way of typing, and the name by which it is reported. */
export interface TypingWay {
  name: string;
  type(job: TypingJob): Promise<boolean>;
}

/** Firefox builds the clipboard of a constructed event from these two fields. */
type FirefoxPaste = ClipboardEventInit & { dataType: string; data: string };

function paste(element: HTMLElement, dataType: string, data: string): boolean {
  const init: FirefoxPaste = { dataType, data, bubbles: true, cancelable: true, composed: true };
  return !element.dispatchEvent(new ClipboardEvent('paste', init));
}

/** Puts the caret behind everything in the editor. */
export function caretToEnd(element: HTMLElement): void {
  element.focus();
  if ('setSelectionRange' in element) return;
  const selection = element.ownerDocument.getSelection();
  selection?.selectAllChildren(element);
  selection?.collapseToEnd();
}

async function inChunks({ text, chunkChars, pause }: TypingJob, put: (chunk: string) => boolean): Promise<boolean> {
  for (const chunk of chunksOf(text, chunkChars)) {
    if (!put(chunk)) return false;
    await pause();
  }
  return true;
}

/** A paste of plain text. */
const plainPaste: TypingWay = {
  name: 'paste',
  type: (job) => inChunks(job, (chunk) => paste(job.element, 'text/plain', chunk)),
};

/** One paragraph for each line. The attribute has ProseMirror keep white space and join the ends to what is there. */
function paragraphs(document: Document, text: string): string {
  const holder = document.createElement('div');
  for (const line of text.split('\n')) {
    const paragraph = document.createElement('p');
    paragraph.textContent = line;
    holder.append(paragraph);
  }
  holder.firstElementChild?.setAttribute('data-pm-slice', '1 1 []');
  return holder.innerHTML;
}

/** ProseMirror drops blank lines from a paste of plain text, and keeps them in its own format. */
const paragraphPaste: TypingWay = {
  name: 'paragraphs',
  type: (job) =>
    inChunks(job, (chunk) => paste(job.element, 'text/html', paragraphs(job.element.ownerDocument, chunk))),
};

function insertText(element: HTMLElement, text: string): boolean {
  return text === '' || element.ownerDocument.execCommand('insertText', false, text);
}

/** Shift and Enter, which make a new line in every chat editor. True when the editor took the keys. */
function newLine(element: HTMLElement): boolean {
  const keys = { key: 'Enter', code: 'Enter', keyCode: 13, shiftKey: true, bubbles: true, cancelable: true };
  return !element.dispatchEvent(new KeyboardEvent('keydown', keys));
}

/** Slow: an editor redraws for each line. */
const keyedLines: TypingWay = {
  name: 'lines',
  async type({ element, text, chunkChars, pause }) {
    for (const [index, line] of text.split('\n').entries()) {
      if (index > 0 && !newLine(element)) return false;
      await pause();
      for (const chunk of chunksOf(line, chunkChars)) if (!insertText(element, chunk)) return false;
      await pause();
    }
    return true;
  },
};

const wholeInsert: TypingWay = {
  name: 'insert',
  type: (job) => inChunks(job, (chunk) => insertText(job.element, chunk)),
};

/** Frameworks hide `value` behind a property of the element; the one of the prototype still sets the real value. */
const fieldValue: TypingWay = {
  name: 'value',
  async type({ element, text, pause }) {
    const view = element.ownerDocument.defaultView;
    if (view === null || !(element instanceof view.HTMLTextAreaElement)) return false;
    Object.getOwnPropertyDescriptor(view.HTMLTextAreaElement.prototype, 'value')?.set?.call(element, text);
    element.dispatchEvent(new view.InputEvent('input', { bubbles: true, inputType: 'insertText', data: text }));
    await pause();
    return true;
  },
};

const WAYS: Record<TypingMethod, readonly TypingWay[]> = {
  lines: [paragraphPaste, keyedLines],
  paste: [plainPaste],
  insert: [wholeInsert],
  value: [fieldValue],
};

export function waysOf(methods: readonly TypingMethod[]): TypingWay[] {
  return [...new Set(methods.flatMap((method) => WAYS[method]))];
}

/** Deletes everything in the editor. */
export async function emptyEditor(element: HTMLElement, pause: () => Promise<void>): Promise<void> {
  element.focus();
  if ('value' in element && 'select' in element) {
    await fieldValue.type({ element, text: '', chunkChars: null, pause });
    return;
  }
  const { ownerDocument } = element;
  ownerDocument.getSelection()?.selectAllChildren(element);
  await pause();
  ownerDocument.execCommand('selectAll');
  ownerDocument.execCommand('delete');
  await pause();
}
