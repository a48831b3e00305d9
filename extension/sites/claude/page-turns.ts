/** The messages that the page of claude.ai shows. It keeps the newest in the document; older ones may be missing. */
import { findFirst } from '../find.ts';
import type { PageBlock, PageTurn } from '../page.ts';
import { isUuid } from './endpoints.ts';
import {
  ASSISTANT_ROW,
  ASSISTANT_TEXT,
  BARE_MESSAGE,
  ROW,
  STOP,
  STREAMING,
  THINKING,
  TURN_KEY,
  USER_ROW,
  USER_TEXT,
} from './selectors.ts';

const MAX_TEXT_CHARS = 1024 * 1024;
const LANGUAGE = 'baa';
/** Ends the key of the first answer to a message, whose own id the page does not name. */
const REPLY_KEY = /^(.+)-hub-reply$/;

export function turns(document: Document): PageTurn[] {
  return [...newestTurns(document)].reverse();
}

export function* newestTurns(document: Document): Iterable<PageTurn> {
  const isAnswering = findFirst(document, STOP) !== null;
  let isLast = true;
  for (const row of newestRows(document)) {
    const turn = turnOf(row, isAnswering && isLast);
    isLast = false;
    if (turn !== null) yield turn;
  }
}

/** Those that are inside no other row. */
function* newestRows(document: Document): Iterable<HTMLElement> {
  for (const selector of [...ROW, BARE_MESSAGE]) {
    const rows = [...document.querySelectorAll<HTMLElement>(selector)].reverse();
    for (const row of rows) if (!row.parentElement?.closest(selector)) yield row;
    if (rows.length > 0) return;
  }
}

function turnOf(row: HTMLElement, isLastAndRunning: boolean): PageTurn | null {
  const role = holds(row, USER_ROW) ? 'user' : holds(row, ASSISTANT_ROW) ? 'assistant' : null;
  if (!role) return null;
  const isFinished = role === 'user' || !(isLastAndRunning || holds(row, STREAMING));
  const content = findFirst(row, role === 'user' ? USER_TEXT : ASSISTANT_TEXT)?.element ?? row;
  return {
    role,
    ...idsOf(row),
    isNameless: !ROW.some((selector) => row.matches(selector)),
    element: row,
    isFinished,
    get text() {
      return textOf(content).slice(0, MAX_TEXT_CHARS);
    },
    get blocks() {
      return role === 'assistant' ? blocksOf(content, isFinished) : [];
    },
  };
}

function holds(row: HTMLElement, selectors: readonly string[]): boolean {
  return selectors.some((selector) => row.matches(selector) || row.closest(selector) || row.querySelector(selector));
}

/** Keys may come late, and there are none for the older kind of account. */
function idsOf(row: HTMLElement): Pick<PageTurn, 'id' | 'answersId'> {
  const keyed = row.closest(TURN_KEY) ?? row.querySelector(TURN_KEY);
  const key = keyed?.getAttribute('data-turn-key') ?? '';
  const [, answersId] = REPLY_KEY.exec(key) ?? [];
  return { id: isUuid(key) ? key : null, answersId: isUuid(answersId) ? answersId : null };
}

/** The text of paragraphs, one line each. */
function textOf(content: Element): string {
  const paragraphs = [...content.querySelectorAll(':scope > p, :scope > div > p')];
  if (paragraphs.length === 0) return content.textContent ?? '';
  return paragraphs.map((paragraph) => paragraph.textContent ?? '').join('\n');
}

function blocksOf(content: Element, isFinished: boolean): PageBlock[] {
  return [...content.querySelectorAll('pre')]
    .filter((pre) => !pre.parentElement?.closest('pre') && !pre.closest(THINKING) && languageOf(pre) === LANGUAGE)
    .map((pre) => ({ text: isFinished ? (pre.querySelector('code') ?? pre).textContent : null }));
}

/** By the class of the code; an older page names it in a header before the block. */
function languageOf(pre: Element): string | null {
  const classes = [...(pre.querySelector('code')?.classList ?? []), ...pre.classList];
  const named = classes.find((name) => name.startsWith('language-'));
  if (named) return named.slice('language-'.length);
  const header = pre.previousElementSibling?.cloneNode(true) as Element | undefined;
  for (const button of header?.querySelectorAll('button') ?? []) button.remove();
  return header?.textContent?.trim().toLowerCase() ?? null;
}
