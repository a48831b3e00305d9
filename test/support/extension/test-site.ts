/**
 * A made-up chat site for tests of what is the same for every site: `/c/<id>` is a conversation, of a further account
 * `/u/1/c/<id>`, requests below `/api/`
 * have the role that is in their path, and a response is a list of lines, each an event of a decoder as JSON.
 */
import type { DecodedEvent, Decoder } from '../../../extension/sites/decoder.ts';
import type { PageAddress, RequestBody, RequestRole, SeenSend, SiteReading } from '../../../extension/sites/facts.ts';
import type { PageTurn, SitePage } from '../../../extension/sites/page.ts';
import type { Site } from '../../../extension/sites/site.ts';

export const ORIGIN = 'https://claude.ai';

const ROLES: readonly RequestRole[] = ['prepare', 'send', 'stream', 'read', 'account'];

/** Of further accounts in one container. */
const ACCOUNT_PATH = /^\/(u\/[1-9])(?=\/)/;

function addressOf(url: URL): PageAddress {
  const pathname = url.pathname.replace(ACCOUNT_PATH, '');
  const conversationId = /^\/c\/(\w[\w-]*)$/.exec(pathname)?.[1] ?? null;
  if (conversationId !== null) return { kind: 'conversation', conversationId };
  const kinds: Record<string, PageAddress['kind']> = { '/': 'new', '/wait': 'provisional', '/temporary': 'temporary' };
  return { kind: kinds[pathname] ?? 'other', conversationId: null };
}

class LineDecoder implements Decoder {
  #rest = '';

  push(bytes: Uint8Array): DecodedEvent[] {
    const lines = (this.#rest + new TextDecoder().decode(bytes)).split('\n');
    this.#rest = lines.pop() ?? '';
    if (lines.includes('throw')) throw new Error('a decoder that fails');
    return lines.filter((line) => line !== '').map((line) => JSON.parse(line) as DecodedEvent);
  }

  end(isBroken: boolean): DecodedEvent[] {
    return isBroken ? [{ type: 'incomplete', answer: null, reason: 'broken' }] : [];
  }
}

function readSend(body: RequestBody): SeenSend | null {
  if (body.kind !== 'bytes') return null;
  const send = JSON.parse(new TextDecoder().decode(body.bytes)) as Partial<SeenSend>;
  return { ...SEND, ...send };
}

/** A send without any id. */
export const SEND: SeenSend = {
  kind: 'message',
  conversationId: null,
  userMessageId: null,
  assistantMessageId: null,
  text: null,
  isTemporary: false,
  organizationId: null,
};

function turns(document: Document): PageTurn[] {
  return [...document.querySelectorAll<HTMLElement>('[data-role]')].map((element) => ({
    role: element.dataset.role === 'user' ? 'user' : 'assistant',
    id: element.dataset.id ?? null,
    element,
    isFinished: element.dataset.finished === 'true',
    text: element.textContent,
    blocks: [...element.querySelectorAll<HTMLElement>('pre')].map((pre) => ({
      text: pre.dataset.cut === 'true' ? null : pre.textContent,
    })),
  }));
}

export const testPage: SitePage = {
  shownConversation: (document) => document.body.dataset.conversation ?? null,
  composer: () => null,
  composedText: () => '',
  sendButton: () => null,
  isAnswering: (document) => document.body.dataset.answering === 'true',
  turns,
  newestTurns: (document) => turns(document).reverse(),
  obstacle: () => null,
  login: () => null,
  readingRequest: (_document, { conversationId }) => ({
    url: `/api/read/${conversationId}`,
    method: 'GET',
    headers: {},
    body: null,
  }),
};

export function testSite({ confirmsByReading = false }: { confirmsByReading?: boolean } = {}): Site {
  return {
    platform: 'claude',
    matches: [`${ORIGIN}/*`],
    page: testPage,
    wire: {
      addressOf,
      accountPathOf: (url) => ACCOUNT_PATH.exec(url.pathname)?.[1] ?? '',
      requestPatterns: [`${ORIGIN}/api/*`],
      headers: ['x-kept'],
      roleOf: ({ url }) => ROLES.find((role) => url.pathname.startsWith(`/api/${role}`)) ?? null,
      readSend: (_request, body) => readSend(body),
      decoder: () => new LineDecoder(),
      confirmsByReading,
      readReading: (body) => JSON.parse(body) as SiteReading,
      maxTextChars: null,
    },
  };
}
