/** The messages that the page shows, in either renderer. The page may have removed older ones; only what is there counts. */
import type { PageTurn } from '../../page.ts';
import { blocksOf } from './blocks.ts';
import { activePage, around, findAll, findShown, first, isShown } from './finding.ts';
import { SELECTORS } from './selectors.ts';

const MAX_TEXT_CHARS = 1024 * 1024;

export function turnsOf(document: Document): PageTurn[] {
  return [...newestTurnsOf(document)].reverse();
}

export function* newestTurnsOf(document: Document): Iterable<PageTurn> {
  const page = activePage(document);
  let isLegacy = false;
  for (const element of findAll(page, SELECTORS.legacyMessage).reverse()) {
    if (!isShown(element)) continue;
    isLegacy = true;
    const turn = turnOfLegacy(element);
    if (turn !== null) yield turn;
  }
  if (isLegacy) return;
  for (const element of findAll(page, SELECTORS.unit).reverse()) {
    const turn = isShown(element) ? turnOfUnit(element) : null;
    if (turn !== null) yield turn;
  }
}

function turnOfLegacy(element: HTMLElement): PageTurn | null {
  const role = element.getAttribute('data-message-author-role');
  if (role !== 'user' && role !== 'assistant') return null;
  const turn = around(element, SELECTORS.legacyTurn) ?? element.parentElement ?? element;
  const isStreaming = element.matches(SELECTORS.streaming[0]) || first(turn, SELECTORS.streaming) !== null;
  const isFinished = role === 'user' || (!isStreaming && first(turn, SELECTORS.legacyFinished) !== null);
  return messageIn(element, { role, id: element.getAttribute('data-message-id') || null, isFinished });
}

/** `<key>:user` or `<key>:assistant`. */
const UNIT_ROLE = /:(user|assistant)$/;

function turnOfUnit(element: HTMLElement): PageTurn | null {
  const role = unitRole(element);
  if (role === null) return null;
  return messageIn(element, { role, id: unitId(element), isFinished: role === 'user' || isUnitFinished(element) });
}

function unitRole(element: HTMLElement): PageTurn['role'] | null {
  const [, role] = UNIT_ROLE.exec(element.getAttribute('data-chatgpt-search-unit-key') ?? '') ?? [];
  return role === 'user' || role === 'assistant' ? role : null;
}

function isUnitFinished(element: HTMLElement): boolean {
  const turn = around(element, SELECTORS.unitTurn) ?? element;
  return first(element, SELECTORS.streaming) === null && findShown(turn, SELECTORS.unitFinished) !== null;
}

/** Whether the newest message of the app shell is an answer without the marks of a finished turn. */
export function isLastUnitUnfinished(document: Document): boolean {
  const last = findAll(activePage(document), SELECTORS.unit).findLast(isShown);
  return last !== undefined && unitRole(last) === 'assistant' && !isUnitFinished(last);
}

/** The last of the ids is the answer; those before it are messages to tools and the like. */
function unitId(element: HTMLElement): string | null {
  const ids = attributeOf(element, 'data-chatgpt-search-message-ids', SELECTORS.unitIds)?.trim().split(/\s+/).at(-1);
  return ids || attributeOf(element, 'data-chatgpt-selection-message-id', SELECTORS.unitSelectionId) || null;
}

function attributeOf(element: HTMLElement, name: string, selectors: readonly string[]): string | null {
  return element.getAttribute(name) ?? first(element, selectors)?.getAttribute(name) ?? null;
}

function messageIn(element: HTMLElement, named: Pick<PageTurn, 'role' | 'id' | 'isFinished'>): PageTurn {
  return {
    ...named,
    element,
    get text() {
      const texts = findAll(element, SELECTORS.text);
      const text = (texts.length > 0 ? texts : [element]).map(({ textContent }) => textContent ?? '').join('\n');
      return text.slice(0, MAX_TEXT_CHARS);
    },
    get blocks() {
      return blocksOf(element);
    },
  };
}
