/** The wire of claude.ai: addresses, requests and responses of both kinds of accounts. */
import type { Decoder } from '../decoder.ts';
import type { PageAddress, PageRequest, RequestRole, ResponseHead } from '../facts.ts';
import type { SiteWire } from '../site.ts';
import { accountDecoder, actionDecoder, errorDecoder, fixedDecoder, readingDecoder } from './body-decoders.ts';
import { CompletionDecoder } from './completion-decoder.ts';
import {
  ACCOUNT_API,
  CHAT_PATH,
  CONVERSATION_API,
  HOST,
  INCOGNITO_PARAM,
  NEW_PATH,
  REQUEST_PATTERNS,
  RPC_METHOD,
} from './endpoints.ts';
import { headFailure } from './failures.ts';
import { readReading } from './readings.ts';
import { readSend } from './sends.ts';
import { TimelineDecoder } from './timeline-decoder.ts';

const RPC_ROLES: Readonly<Record<string, RequestRole>> = {
  PerformAction: 'send',
  StreamTimeline: 'stream',
  ReadConversation: 'read',
};
const SENDING_ACTIONS: readonly (string | undefined)[] = ['completion', 'retry_completion'];

export const CLAUDE_WIRE: SiteWire = {
  addressOf,
  requestPatterns: REQUEST_PATTERNS,
  headers: [],
  roleOf,
  readSend,
  decoder,
  // The tree has the text as it is kept; the streams are good for the id and the time.
  confirmsByReading: true,
  readReading,
  maxTextChars: null,
};

function addressOf(url: URL): PageAddress {
  if (url.host !== HOST) return { kind: 'other', conversationId: null };
  const conversationId = CHAT_PATH.exec(url.pathname)?.[1] ?? null;
  const isNew = NEW_PATH.test(url.pathname);
  if (!conversationId && !isNew) return { kind: 'other', conversationId: null };
  if (url.searchParams.has(INCOGNITO_PARAM)) return { kind: 'temporary', conversationId: null };
  return { kind: conversationId ? 'conversation' : 'new', conversationId };
}

function roleOf({ method, url }: PageRequest): RequestRole | null {
  if (url.host !== HOST) return null;
  const [, rpc] = RPC_METHOD.exec(url.pathname) ?? [];
  if (rpc) return method === 'POST' ? (RPC_ROLES[rpc] ?? null) : null;
  if (method === 'GET' && ACCOUNT_API.test(url.pathname)) return 'account';
  const conversation = CONVERSATION_API.exec(url.pathname);
  if (!conversation) return null;
  const [, , , action] = conversation;
  if (method === 'GET') return action === undefined ? 'read' : null;
  return method === 'POST' && SENDING_ACTIONS.includes(action) ? 'send' : null;
}

function decoder(head: ResponseHead): Decoder {
  const failure = headFailure(head);
  if (failure) return fixedDecoder(failure);
  if (head.status >= 400) return errorDecoder(head);
  if (head.role === 'account') return accountDecoder(head);
  if (head.role === 'read') return isJson(head) ? readingDecoder() : opaque(head);
  if (head.role === 'stream') return isTimeline(head) ? new TimelineDecoder() : opaque(head);
  if (RPC_METHOD.test(head.url.pathname)) return actionDecoder(head);
  return head.contentType === 'text/event-stream' ? new CompletionDecoder(head) : opaque(head);
}

function isJson({ contentType }: ResponseHead): boolean {
  return contentType === 'application/json';
}

function isTimeline({ contentType }: ResponseHead): boolean {
  return contentType === 'application/connect+proto';
}

function opaque(head: ResponseHead): Decoder {
  return fixedDecoder({ type: 'opaque', reason: kindOf(head) });
}

function kindOf({ contentType }: ResponseHead): string {
  return `content_type:${contentType || 'none'}`;
}
