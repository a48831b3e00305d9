/** Reads a conversation from the response to a batch. Turns come newest first; they are given oldest first. */
import type { DecodedEvent, Decoder } from '../decoder.ts';
import type { SiteMessage, SiteReading } from '../facts.ts';
import { answerText } from './answer-text.ts';
import { READ_RPC } from './endpoints.ts';
import { answerIdAt, conversationAt, turnIdAt } from './ids.ts';
import { LineReader } from './lines.ts';
import {
  CANDIDATE,
  COMPLETE,
  DATA_PART,
  PART,
  parsedJson,
  pick,
  pickList,
  pickNumber,
  pickText,
  RUNNING,
  TURN,
  TURNS,
} from './positions.ts';

/** What a batch holds besides its readings is not looked at. */
export class ReadingDecoder implements Decoder {
  readonly #lines = new LineReader();

  push(bytes: Uint8Array): DecodedEvent[] {
    if (this.#lines.isTooLong) return [];
    const events = this.#lines.push(bytes).flatMap(readPart);
    if (this.#lines.isTooLong) events.push({ type: 'opaque', reason: 'line_too_long' });
    return events;
  }

  end(isBroken: boolean): DecodedEvent[] {
    return isBroken ? [] : this.#lines.end().flatMap(readPart);
  }
}

/** The first reading in a whole body; null when it holds none. */
export function readReading(body: string): SiteReading | null {
  const decoder = new ReadingDecoder();
  const events = [...decoder.push(new TextEncoder().encode(body)), ...decoder.end(false)];
  const found = events.find((event) => event.type === 'reading');
  return found?.reading ?? null;
}

function readPart(part: unknown): DecodedEvent[] {
  if (pick(part, PART.kind) !== DATA_PART || pick(part, PART.rpc) !== READ_RPC) return [];
  const status = pickNumber(part, PART.status);
  if (status !== null) return [{ type: 'error', reason: `read_status_${status}` }];
  const turns = pickList(parsedJson(pickText(part, PART.inner)), TURNS);
  const conversationId = turns.map((turn) => conversationAt(turn, TURN.conversation)).find((id) => id !== null);
  if (!conversationId) return [{ type: 'drift', what: 'gemini_reading' }];
  const messages: SiteMessage[] = [];
  for (const turn of turns.toReversed()) messages.push(...readTurn(turn, messages.at(-1)?.id ?? null));
  return [{ type: 'reading', reading: { conversationId, messages } }];
}

function readTurn(turn: unknown, parentId: string | null): SiteMessage[] {
  const id = turnIdAt(turn, TURN.turn);
  if (id === null) return [];
  const text = pickText(turn, TURN.userText) ?? '';
  const question: SiteMessage = { role: 'user', id, parentId, text, state: 'final' };
  const [candidate] = pickList(turn, TURN.candidates);
  const answerId = answerIdAt(candidate, CANDIDATE.id);
  return answerId === null ? [question] : [question, readAnswer(candidate, answerId, id)];
}

function readAnswer(candidate: unknown, id: string, parentId: string): SiteMessage {
  const mark = pickNumber(candidate, CANDIDATE.state);
  const text = answerText(pickText(candidate, CANDIDATE.text) ?? '', pickText(candidate, CANDIDATE.cardText));
  const state = mark === COMPLETE ? 'final' : mark === RUNNING ? 'running' : 'incomplete';
  return { role: 'assistant', id, parentId, text, state };
}
