/** What Gemini's addresses and requests are for. */
import type { PageAddress, PageRequest, RequestRole } from '../facts.ts';
import { ACCOUNT_PREFIX, APP, BATCH_PATH, GEM, READ_RPC, SEND_PATH } from './endpoints.ts';
import { conversationInAddress } from './ids.ts';

/** A temporary conversation has the address of a new one: only its requests say that it is temporary. */
export function addressOf(url: URL): PageAddress {
  const path = url.pathname.replace(ACCOUNT_PREFIX, '');
  const place = APP.exec(path) ?? GEM.exec(path);
  if (!place) return { kind: 'other', conversationId: null };
  const [, last] = place;
  if (last === undefined) return { kind: 'new', conversationId: null };
  const conversationId = conversationInAddress(last);
  return { kind: conversationId === null ? 'other' : 'conversation', conversationId };
}

/** Google signs a person in to several accounts beside each other; the first has addresses with and without a number. */
export function accountPathOf(url: URL): string {
  const path = ACCOUNT_PREFIX.exec(url.pathname)?.[0].slice(1) ?? '';
  return path === 'u/0' ? '' : path;
}

export function roleOf({ method, url }: PageRequest): RequestRole | null {
  if (method !== 'POST') return null;
  const path = url.pathname.replace(ACCOUNT_PREFIX, '');
  if (path === SEND_PATH) return 'send';
  const rpcs = url.searchParams.get('rpcids')?.split(',') ?? [];
  return path === BATCH_PATH && rpcs.includes(READ_RPC) ? 'read' : null;
}
