/**
 * The ids of Gemini. The address names a conversation `<hex>`, the wire names the same one `c_<hex>`; everything outside
 * of this folder uses the form of the address. `r_<hex>` names a turn: the person's message has no other id, so it is that
 * message's. `rc_<hex>` names one answer to it: another one has another id, also after "regenerate".
 */
import { pickText } from './positions.ts';

const CONVERSATION = /^[0-9a-f]{10,32}$/;
const ON_THE_WIRE = /^c_([0-9a-f]{10,32})$/;
const TURN_ID = /^r_[0-9a-f]{1,32}$/;
const ANSWER_ID = /^rc_[0-9a-f]{1,32}$/;

/** The conversation that a part of an address names; null when it names none. */
export function conversationInAddress(part: string | undefined): string | null {
  return part !== undefined && CONVERSATION.test(part) ? part : null;
}

export function conversationAt(value: unknown, path: readonly number[]): string | null {
  return ON_THE_WIRE.exec(pickText(value, path) ?? '')?.[1] ?? null;
}

export function wireIdOf(conversationId: string): string {
  return `c_${conversationId}`;
}

/** The id of the person's message of a turn. */
export function turnIdAt(value: unknown, path: readonly number[]): string | null {
  const id = pickText(value, path);
  return id !== null && TURN_ID.test(id) ? id : null;
}

export function answerIdAt(value: unknown, path: readonly number[]): string | null {
  const id = pickText(value, path);
  return id !== null && ANSWER_ID.test(id) ? id : null;
}
