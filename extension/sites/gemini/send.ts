/** The send in a request: a form whose field holds JSON, which holds an array as JSON once more. */
import type { RequestBody, SeenSend } from '../facts.ts';
import { FORM } from './endpoints.ts';
import { conversationAt, turnIdAt } from './ids.ts';
import { parsedJson, pick, pickText, SEND } from './positions.ts';

/**
 * Gemini marks neither "regenerate" nor "edit": both name an earlier turn as the one that they follow, which only the
 * order of turns shows. So each is a message here, with the text that it asks.
 */
export function readSend(body: RequestBody): SeenSend | null {
  const inner = parsedJson(pickText(parsedJson(requestField(body)), SEND.inner));
  const text = pickText(inner, SEND.text);
  if (text === null) return null;
  const isTemporary = pick(inner, SEND.isTemporary) === 1;
  return {
    kind: 'message',
    conversationId: isTemporary ? null : conversationAt(inner, SEND.conversation),
    userMessageId: null,
    followsId: turnIdAt(inner, SEND.follows),
    assistantMessageId: null,
    text,
    isTemporary,
    organizationId: null,
  };
}

/** Firefox gives the fields of a form where it recognizes one, else its bytes. */
function requestField(body: RequestBody): string | null {
  if (body.kind === 'form') return body.fields[FORM.request]?.[0] ?? null;
  return new URLSearchParams(new TextDecoder().decode(body.bytes)).get(FORM.request);
}
