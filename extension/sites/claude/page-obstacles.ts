/** What in the page of claude.ai keeps a message from being sent. Nothing of it is clicked. */
import { resetTime } from '../../lib/reset-time.ts';
import { findFirst } from '../find.ts';
import type { Found, Obstacle, PageLogin } from '../page.ts';
import { CHALLENGE_PATH, LOGIN_PATH } from './endpoints.ts';
import {
  CHALLENGE,
  COMPOSER,
  LIMIT_WORDS,
  NOTICE,
  OLD_VERSION,
  PERMISSION,
  PERMISSION_LABEL,
  SIGN_IN,
} from './selectors.ts';

const MAX_TEXT_CHARS = 200;
/** Around a hook in a banner, the banner. */
const BANNER = '[data-cds="Banner"], [role="alert"], [role="status"], [role="dialog"]';

export function obstacle(document: Document, now = Date.now()): Obstacle | null {
  if (isChallenged(document)) return asObstacle('challenge', document.title);
  if (isSignedOut(document)) return asObstacle('signed_out', document.title);
  const old = findFirst(document, OLD_VERSION);
  if (old) return asObstacle('old_version', bannerText(old));
  const permission = findFirst(document, PERMISSION) ?? findFirst(document, ['button'], isPermissionButton);
  if (permission) return asObstacle('permission', bannerText(permission));
  const limit = findFirst(document, NOTICE, ({ textContent }) => LIMIT_WORDS.test((textContent ?? '').slice(0, 1000)));
  if (!limit) return null;
  const text = textOf(limit.element);
  return { ...asObstacle('limit', text), resetsAt: timeIn(limit.element) ?? resetTime(text, now) };
}

export function login(document: Document): PageLogin | null {
  if (isChallenged(document)) return { login: 'stale', account: null };
  if (isSignedOut(document)) return { login: 'lost', account: null };
  return findFirst(document, COMPOSER) ? { login: 'fresh', account: null } : null;
}

function isChallenged(document: Document): boolean {
  if (pathOf(document).startsWith(CHALLENGE_PATH)) return true;
  return findFirst(document, COMPOSER) === null && findFirst(document, CHALLENGE) !== null;
}

function isSignedOut(document: Document): boolean {
  if (findFirst(document, COMPOSER)) return false;
  return LOGIN_PATH.test(pathOf(document)) || findFirst(document, SIGN_IN) !== null;
}

function pathOf({ location }: Document): string {
  return location?.pathname ?? '';
}

function isPermissionButton({ textContent }: HTMLElement): boolean {
  return PERMISSION_LABEL.test((textContent ?? '').trim());
}

function timeIn(element: Element): number | null {
  const time = Date.parse(element.querySelector('time')?.getAttribute('datetime') ?? '');
  return Number.isNaN(time) ? null : time;
}

function bannerText({ element }: Found): string {
  return textOf(element.closest(BANNER) ?? element.parentElement ?? element);
}

function textOf(element: Element): string {
  return (element.textContent ?? '').replace(/\s+/g, ' ').trim();
}

function asObstacle(kind: Obstacle['kind'], text: string): Obstacle {
  return { kind, text: text.slice(0, MAX_TEXT_CHARS).toWellFormed(), resetsAt: null };
}
