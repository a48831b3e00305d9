/** The document of Gemini: where to type and send, what it shows, who is signed in, how to read a conversation again. */
import { resetTime } from '../../lib/reset-time.ts';
import type { PageAddress } from '../facts.ts';
import { findFirst, isEnabled } from '../find.ts';
import type { Composer, Found, Obstacle, PageLogin, ReadingRequest, SitePage } from '../page.ts';
import { ACCOUNT_PREFIX, BATCH_PATH, FORM, READ_RPC, READ_TURNS } from './endpoints.ts';
import { wireIdOf } from './ids.ts';
import { pageData } from './page-data.ts';
import { newestTurns, turns } from './page-turns.ts';
import {
  ATTACHMENTS,
  CHALLENGE,
  CHOICE,
  COMPOSER,
  CONVERSATION_ATTRIBUTES,
  CONVERSATION_NAME,
  LIMIT_NOTICES,
  LIMIT_WORDS,
  OPEN_CONVERSATION,
  PENDING,
  SEND_BY_LABEL,
  SIGN_IN,
  SLOT,
  STOP,
  TURNS,
} from './selectors.ts';

/** Quill redraws for each paste, so few large ones are faster; a very large one would keep the page from working. */
const CHUNK_CHARS = 16_000;
const MAX_OBSTACLE_CHARS = 200;
const MAX_NOTICE_CHARS = 1_000;

export const page: SitePage = {
  shownConversation,
  composer,
  composedText,
  attachments,
  sendButton,
  isAnswering,
  hasFinishMarks: true,
  turns,
  newestTurns,
  obstacle,
  login,
  readingRequest,
};

function shownConversation(document: Document): string | null {
  const entry = findFirst(document, OPEN_CONVERSATION)?.element;
  for (const name of CONVERSATION_ATTRIBUTES) {
    const [, id] = CONVERSATION_NAME.exec(entry?.getAttribute(name) ?? '') ?? [];
    if (id !== undefined) return id;
  }
  return null;
}

function composer(document: Document): Composer | null {
  const found = findFirst(document, COMPOSER);
  return found && { ...found, methods: ['paste', 'insert'], chunkChars: CHUNK_CHARS };
}

/** Quill has an element for each line, and an empty one for a line without text. */
function composedText({ element }: Composer): string {
  return Array.from(element.children, (line) => line.textContent ?? '').join('\n');
}

function attachments(document: Document): number {
  const counts = ATTACHMENTS.map(
    (selector) => [...document.querySelectorAll(selector)].filter((one) => one.closest(TURNS) === null).length,
  );
  return counts.find((count) => count > 0) ?? 0;
}

function sendButton(document: Document): Found | null {
  if (isStopping(document)) return null;
  return findFirst(document, [...SLOT, ...SEND_BY_LABEL], isEnabled);
}

function isAnswering(document: Document): boolean {
  return isStopping(document) || findFirst(document, PENDING) !== null;
}

function isStopping(document: Document): boolean {
  return findFirst(document, STOP) !== null;
}

function obstacle(document: Document): Obstacle | null {
  const challenge = findFirst(document, CHALLENGE);
  if (challenge) return obstacleOf('challenge', challenge);
  const signIn = findFirst(document, SIGN_IN);
  if (signIn && pageData(document)?.token == null) return obstacleOf('signed_out', signIn);
  const choice = findFirst(document, CHOICE);
  return choice ? obstacleOf('choice', choice) : limit(document);
}

/** A notice outside of the messages, whose texts may speak of anything. */
function limit(document: Document): Obstacle | null {
  const isNotice = (element: HTMLElement) =>
    element.closest(TURNS) === null && LIMIT_WORDS.test((element.textContent ?? '').slice(0, MAX_NOTICE_CHARS));
  const found = findFirst(document, LIMIT_NOTICES, isNotice);
  if (!found) return null;
  const obstacle = obstacleOf('limit', found);
  return { ...obstacle, resetsAt: resetTime(obstacle.text, Date.now()) };
}

function obstacleOf(kind: Obstacle['kind'], { element }: Found): Obstacle {
  const text = (element.textContent ?? '').replace(/\s+/g, ' ').trim();
  return { kind, text: text.slice(0, MAX_OBSTACLE_CHARS), resetsAt: null };
}

/** Without the token the page is signed out, or has not got it yet: only a link to sign in shows which. */
function login(document: Document): PageLogin | null {
  const data = pageData(document);
  if (data?.token != null) return { login: 'fresh', account: data.account ?? data.email };
  if (findFirst(document, SIGN_IN)) return { login: 'lost', account: null };
  return data && document.readyState === 'complete' ? { login: 'stale', account: null } : null;
}

/** The token and the ids of the session are sent to Gemini itself only. */
function readingRequest(document: Document, address: PageAddress): ReadingRequest | null {
  const data = pageData(document);
  const { conversationId } = address;
  if (data?.token == null || conversationId === null) return null;
  const { origin, pathname } = document.location;
  const [prefix = ''] = ACCOUNT_PREFIX.exec(pathname) ?? [];
  const query = new URLSearchParams({ rpcids: READ_RPC, 'source-path': pathname });
  if (data.build !== null) query.set('bl', data.build);
  if (data.session !== null) query.set('f.sid', data.session);
  if (data.language !== null) query.set('hl', data.language);
  query.set('rt', 'c');
  const asked = JSON.stringify([wireIdOf(conversationId), READ_TURNS, null, 1, [0], [4], null, 1]);
  const form = new URLSearchParams({
    [FORM.request]: JSON.stringify([[[READ_RPC, asked, null, 'generic']]]),
    [FORM.token]: data.token,
  });
  return {
    url: `${origin}${prefix}${BATCH_PATH}?${query}`,
    method: 'POST',
    headers: { 'content-type': 'application/x-www-form-urlencoded;charset=UTF-8', 'x-same-domain': '1' },
    body: form.toString(),
  };
}
