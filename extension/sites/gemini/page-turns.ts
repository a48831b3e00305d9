/**
 * The messages that the page shows. The last answer may belong to an earlier question for some seconds, so answers are
 * named by their turn, never by their place.
 */
import { findFirst } from '../find.ts';
import type { PageBlock, PageTurn } from '../page.ts';
import {
  ANSWER_FINISHED,
  ANSWER_ID,
  ANSWER_TEXT,
  CODE_BLOCK,
  CODE_LANGUAGE,
  CODE_TEXT,
  NOT_TEXT,
  TURNS,
  USER_LINE,
  USER_TEXT,
  USER_TURN,
} from './selectors.ts';

const BLOCK_LANGUAGE = 'baa';

export function turns(document: Document): PageTurn[] {
  return [...newestTurns(document)].reverse();
}

export function* newestTurns(document: Document): Iterable<PageTurn> {
  for (const element of [...document.querySelectorAll<HTMLElement>(TURNS)].reverse()) {
    yield element.matches(USER_TURN) ? userTurn(element) : answerTurn(element);
  }
}

function userTurn(element: HTMLElement): PageTurn {
  return {
    role: 'user',
    id: null,
    element,
    isFinished: true,
    get text() {
      const text = findFirst(element, USER_TEXT)?.element ?? element;
      const lines = [...text.querySelectorAll(USER_LINE)];
      return lines.length > 0 ? lines.map(textOf).join('\n') : textOf(text);
    },
    blocks: [],
  };
}

function answerTurn(element: HTMLElement): PageTurn {
  const body = findFirst(element, ANSWER_TEXT)?.element;
  const isFinished = findFirst(element, ANSWER_FINISHED) !== null;
  const [, turn = null] = ANSWER_ID.exec(body?.id ?? '') ?? [];
  return {
    role: 'assistant',
    id: null,
    answersId: turn,
    element,
    isFinished,
    get text() {
      return body ? textOf(body) : '';
    },
    get blocks() {
      return body ? blocksOf(body, isFinished) : [];
    },
  };
}

function blocksOf(body: HTMLElement, isFinished: boolean): PageBlock[] {
  const selector = CODE_BLOCK.find((one) => body.querySelector(one) !== null);
  const blocks = selector === undefined ? [] : [...body.querySelectorAll<HTMLElement>(selector)];
  return blocks.filter(isOurs).map((block) => ({
    text: isFinished ? (findFirst(block, CODE_TEXT)?.element.textContent ?? null) : null,
  }));
}

function isOurs(block: HTMLElement): boolean {
  const language = findFirst(block, CODE_LANGUAGE)?.element.textContent ?? '';
  return language.trim().toLowerCase() === BLOCK_LANGUAGE;
}

/** The text of an element without what is no part of it. */
function textOf(element: Element): string {
  const copy = element.cloneNode(true) as Element;
  for (const extra of copy.querySelectorAll(NOT_TEXT)) extra.remove();
  return (copy.textContent ?? '').trim();
}
