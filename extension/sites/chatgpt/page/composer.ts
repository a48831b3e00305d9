/** The composer of ChatGPT, its text, its attachments and its buttons. */
import { isEnabled } from '../../find.ts';
import type { Composer, Found, TypingMethod } from '../../page.ts';
import { activePage, findAll, findShown } from './finding.ts';
import { SELECTORS, STOP_LABEL } from './selectors.ts';
import { isLastUnitUnfinished } from './turns.ts';

/** A paste of more than about 10,000 characters (5,000 earlier) becomes an attachment; smaller ones do not. */
const CHUNK_CHARS = 4000;
const EDITOR_METHODS: readonly TypingMethod[] = ['paste', 'lines', 'insert'];
const PLACEHOLDER_BREAK = 'ProseMirror-trailingBreak';

export function findComposer(document: Document): Composer | null {
  const found = findShown(activePage(document), SELECTORS.composer) ?? findShown(document, SELECTORS.composer);
  if (!found) return null;
  const isField = found.element.localName === 'textarea';
  return { ...found, methods: isField ? ['value'] : EDITOR_METHODS, chunkChars: isField ? null : CHUNK_CHARS };
}

export function composedText({ element }: Pick<Composer, 'element'>): string {
  if ('value' in element && typeof element.value === 'string') return element.value;
  const blocks = [...element.children].filter(({ localName }) => localName !== 'br');
  return blocks.length === 0 ? lineOf(element) : blocks.map(lineOf).join('\n');
}

/** The text of one block; a break within it is a line, except the one that only gives an empty block its height. */
function lineOf(block: Element): string {
  let text = '';
  for (const node of block.childNodes) {
    if (node.nodeName === 'BR') text += isPlaceholder(node as Element) ? '' : '\n';
    else if (node.nodeName === 'IMG') text += '';
    else text += node.childNodes.length > 0 ? lineOf(node as Element) : (node.textContent ?? '');
  }
  return text;
}

function isPlaceholder(node: Element): boolean {
  return node.classList.contains(PLACEHOLDER_BREAK) || node.parentElement?.childNodes.length === 1;
}

export function countAttachments(document: Document): number {
  const form = findComposer(document)?.element.closest('form');
  return form ? findAll(form, SELECTORS.attachment).length : 0;
}

/**
 * The button that sends. The app shell has one button for voice, send and stop, with a localised label; it sends only while
 * there is text and no answer is written.
 */
export function findSendButton(document: Document): Found | null {
  if (isAnswering(document)) return null;
  const composer = findComposer(document);
  const scope = composer?.element.closest('form') ?? activePage(document);
  const found = findShown(scope, SELECTORS.send, isEnabled) ?? findShown(document, SELECTORS.send, isEnabled);
  const isShared = found?.element.matches(SELECTORS.sharedButton.join()) ?? false;
  const isEmpty = composer === null || (composedText(composer) === '' && countAttachments(document) === 0);
  return isShared && isEmpty ? null : found;
}

export function isAnswering(document: Document): boolean {
  const page = activePage(document);
  if (findShown(page, SELECTORS.stop) ?? findShown(document, SELECTORS.stop)) return true;
  if (findShown(page, SELECTORS.streaming)) return true;
  const shared = findShown(document, SELECTORS.sharedButton)?.element;
  const label = shared?.getAttribute('aria-label') ?? shared?.title ?? '';
  // In a language whose labels are not known, the marks of a finished turn are the only sign.
  return STOP_LABEL.test(label.trim()) || (shared !== undefined && isLastUnitUnfinished(document));
}
