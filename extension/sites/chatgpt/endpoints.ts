/** The addresses of ChatGPT: its pages and the requests of its page. Nothing else in this repository names them. */
import type { PageAddress, PageRequest, RequestRole } from '../facts.ts';

const HOST = 'chatgpt.com';
const ORIGIN = `https://${HOST}`;

export const PAGE_PATTERNS = [`${ORIGIN}/*`] as const;

export const REQUEST_PATTERNS = [
  ...['api', 'anon', 'alt'].flatMap((backend) => [
    `${ORIGIN}/backend-${backend}/conversation*`,
    `${ORIGIN}/backend-${backend}/f/conversation*`,
    `${ORIGIN}/backend-${backend}/sentinel/chat-requirements*`,
  ]),
  `${ORIGIN}/backend-api/me*`,
  `${ORIGIN}/api/auth/session*`,
] as const;

const UUID = '[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}';
const WHOLE_UUID = new RegExp(`^${UUID}$`, 'i');

/** `conversation/init`, `steer_turn` and the like are of no interest: they neither begin nor carry an answer. */
const ROLES: readonly { method: string; path: RegExp; role: RequestRole }[] = [
  { method: 'POST', path: /^\/backend-(?:api|anon|alt)\/(?:f\/)?conversation$/, role: 'send' },
  { method: 'POST', path: /^\/backend-(?:api|anon|alt)\/(?:f\/)?conversation\/prepare$/, role: 'prepare' },
  {
    method: 'POST',
    path: /^\/backend-(?:api|anon|alt)\/sentinel\/chat-requirements(?:\/(?:prepare|finalize))?$/,
    role: 'prepare',
  },
  { method: 'POST', path: /^\/backend-(?:api|anon|alt)\/(?:f\/)?conversation\/resume$/, role: 'stream' },
  { method: 'GET', path: new RegExp(`^/backend-(?:api|anon|alt)/conversations?/${UUID}$`, 'i'), role: 'read' },
  { method: 'GET', path: /^\/backend-api\/me$/, role: 'account' },
  { method: 'GET', path: /^\/api\/auth\/session$/, role: 'account' },
];

export function roleOf({ method, url }: PageRequest): RequestRole | null {
  if (url.origin !== ORIGIN) return null;
  return ROLES.find((one) => one.method === method && one.path.test(url.pathname))?.role ?? null;
}

/** The page uses these paths only without a signed-in account; such a conversation has no lasting id. */
export function isAnonymous(url: URL): boolean {
  return url.pathname.startsWith('/backend-anon/');
}

/** Whether a refusal here ends a send. A refused `conversation/prepare` does not: the page sends all the same. */
export function isRequiredForSend(url: URL): boolean {
  return url.pathname.includes('/sentinel/');
}

/** The id in lower case; null for anything that is no lasting id, such as `WEB:…`. */
export function conversationIdOf(value: unknown): string | null {
  return typeof value === 'string' && WHOLE_UUID.test(value) ? value.toLowerCase() : null;
}

const OTHER: PageAddress = { kind: 'other', conversationId: null };
/** A custom GPT or a project comes before the conversation: `/g/g-p-…/c/<id>`. */
const CONVERSATION_PATH = /^(?:\/g\/[^/]+)?\/c\/([^/]+)\/?$/;
const NEW_PATH = /^\/(?:g\/[^/]+(?:\/project)?\/?)?$/;

export function addressOf(url: URL): PageAddress {
  if (url.origin !== ORIGIN) return OTHER;
  const [, name] = CONVERSATION_PATH.exec(url.pathname) ?? [];
  if (name === undefined && !NEW_PATH.test(url.pathname)) return OTHER;
  if (url.searchParams.get('temporary-chat') === 'true') return { kind: 'temporary', conversationId: null };
  if (name === undefined) return { kind: 'new', conversationId: null };
  const conversationId = conversationIdOf(name);
  return conversationId === null
    ? { kind: 'provisional', conversationId: null }
    : { kind: 'conversation', conversationId };
}

/** The conversation that a link of the page leads to. */
export function conversationOfLink(href: string): string | null {
  return URL.canParse(href, ORIGIN) ? addressOf(new URL(href, ORIGIN)).conversationId : null;
}

export const SESSION_URL = `${ORIGIN}/api/auth/session`;

/** The newest turns of a conversation, and the older endpoint, which holds all of it. */
export function readingUrls(conversationId: string): { url: string; olderUrl: string } {
  return {
    url: `${ORIGIN}/backend-api/conversations/${conversationId}?include_has_versions=true&num_turns=10`,
    olderUrl: `${ORIGIN}/backend-api/conversation/${conversationId}`,
  };
}
