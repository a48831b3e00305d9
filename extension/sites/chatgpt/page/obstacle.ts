/** What keeps a message from being sent. It is reported; nothing of it is clicked. */

import { resetTime } from '../../../lib/reset-time.ts';
import type { Found, Obstacle } from '../../page.ts';
import { activePage, findShown } from './finding.ts';
import { isChallengePage, loginOf } from './login.ts';
import { LIMIT_WORDS, NOTICES, OBSTACLES } from './selectors.ts';

const MAX_TEXT_CHARS = 200;

export function obstacleOf(document: Document, now: number): Obstacle | null {
  if (isChallengePage(document)) return obstacle('challenge', document.title);
  if (loginOf(document)?.login === 'lost') {
    return obstacle('signed_out', textOf(findShown(document, OBSTACLES.signed_out)));
  }
  return limit(document, now) ?? question(document) ?? dialog(document) ?? failure(document);
}

function limit(document: Document, now: number): Obstacle | null {
  const notice = findShown(document, NOTICES, ({ textContent }) =>
    LIMIT_WORDS.test((textContent ?? '').slice(0, 1000)),
  );
  const found = findShown(document, OBSTACLES.limit) ?? notice;
  if (!found) return null;
  const text = textOf(found);
  return { ...obstacle('limit', text), resetsAt: resetTime(text, now) };
}

/** A question of the site: which of two answers is better, whether to continue, whether a tool may act. */
function question(document: Document): Obstacle | null {
  const page = activePage(document);
  for (const kind of ['choice', 'permission'] as const) {
    const found = findShown(page, OBSTACLES[kind]) ?? findShown(document, OBSTACLES[kind]);
    if (found) return obstacle(kind, textOf(found));
  }
  return null;
}

/** A dialog in front of the page waits for the person, also one of an unknown kind. */
function dialog(document: Document): Obstacle | null {
  const found = findShown(document, ['[role="dialog"][aria-modal="true"]']);
  return found && obstacle('permission', textOf(found));
}

function failure(document: Document): Obstacle | null {
  const found = findShown(activePage(document), OBSTACLES.error);
  return found && obstacle('error', textOf(found));
}

function obstacle(kind: Obstacle['kind'], text: string): Obstacle {
  return { kind, text, resetsAt: null };
}

function textOf(found: Found | null): string {
  return (found?.element.textContent ?? '').replace(/\s+/g, ' ').trim().slice(0, MAX_TEXT_CHARS).toWellFormed();
}
