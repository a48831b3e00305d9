/** Ids and helpers for tests of the wire of claude.ai. */
import type { DecodedEvent, Decoder } from '../../../../../extension/sites/decoder.ts';
import type { ResponseHead, SeenSend } from '../../../../../extension/sites/facts.ts';

const uuid = (letter: string) => `${letter.repeat(8)}-0000-4000-8000-000000000000`;
export const CONVERSATION = uuid('c');
export const ORGANIZATION = uuid('0');
export const HUMAN = uuid('a');
export const ANSWER = uuid('b');
export const OLD_HUMAN = uuid('d');
export const OLD_ANSWER = uuid('e');
export const OTHER = uuid('f');

export const RPC = 'https://claude.ai/claudeai-rpc/anthropic.bard.api.v1alpha.ConversationService';
export const CONVERSATIONS = `https://claude.ai/api/organizations/${ORGANIZATION}/chat_conversations`;

export const SEND: SeenSend = {
  kind: 'message',
  conversationId: CONVERSATION,
  userMessageId: HUMAN,
  assistantMessageId: ANSWER,
  text: 'hello',
  isTemporary: false,
  organizationId: ORGANIZATION,
};

export function head(change: Partial<Omit<ResponseHead, 'url'>> & { url: string }): ResponseHead {
  const base = { role: 'send', status: 200, contentType: '', headers: {}, send: null } as const;
  return { ...base, ...change, url: new URL(change.url) };
}

export function decodeAll(decoder: Decoder, chunks: Iterable<Uint8Array>, isBroken = false): DecodedEvent[] {
  return [...[...chunks].flatMap((chunk) => decoder.push(chunk)), ...decoder.end(isBroken)];
}

/** Cuts a body at these places, in any order. */
export function chunksOf(body: Uint8Array, cuts: readonly number[]): Uint8Array[] {
  const places = [...new Set([0, ...cuts.map((cut) => cut % (body.length + 1)), body.length])].sort((a, b) => a - b);
  return places.slice(1).map((end, at) => body.slice(places[at], end));
}
