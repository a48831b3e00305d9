/** What a reading of a conversation says about the open turns of it. */
import type { Platform } from '../../../schema/contracts/common.ts';
import { textKey } from '../../lib/text-key.ts';
import type { SiteMessage, SiteReading } from '../../sites/facts.ts';
import type { Draft } from './draft.ts';
import type { Turn } from './turn.ts';
import { answerTurnId, isOpen, names } from './turn.ts';

/** The last message of the assistant between the person's message at `start` and the person's next one. */
function answerAfter(messages: readonly SiteMessage[], start: number): SiteMessage | undefined {
  const rest = messages.slice(start + 1);
  const end = rest.findIndex(({ role }) => role === 'user');
  return rest.slice(0, end === -1 ? rest.length : end).findLast(({ role }) => role === 'assistant');
}

/**
 * Whether the message at `at` has the place of the turn's question. Without it, a reading that does not have the question
 * yet would give the answer to the same question asked before.
 */
function isWhereItFollows({ followsId }: Turn, messages: readonly SiteMessage[], at: number): boolean {
  if (followsId === undefined) return true;
  const before = messages.slice(0, Math.max(0, at)).findLast(({ role }) => role === 'user');
  return (before?.id ?? null) === followsId;
}

/** Where the person's message of the turn is; -1 when it is not there. */
function questionOf(turn: Turn, messages: readonly SiteMessage[]): number {
  const { userMessageId, userTextKey } = turn;
  if (userMessageId !== null) return messages.findIndex(({ role, id }) => role === 'user' && id === userMessageId);
  // The same text may have been sent before, so only the person's newest message is compared.
  const last = messages.findLastIndex(({ role }) => role === 'user');
  if (!isWhereItFollows(turn, messages, last)) return -1;
  return userTextKey !== null && textKey(messages[last]?.text.trim() ?? '') === userTextKey ? last : -1;
}

/** The answer of the turn in the reading, and whether an id has named it or the question. */
function find(turn: Turn, messages: readonly SiteMessage[]): { message: SiteMessage; byId: boolean } | null {
  const named = messages.findLast(({ role, id }) => role === 'assistant' && names(turn, id));
  if (named !== undefined) return { message: named, byId: true };
  const at = questionOf(turn, messages);
  const message = at === -1 ? undefined : answerAfter(messages, at);
  return message === undefined ? null : { message, byId: turn.userMessageId !== null };
}

function onAnswer(draft: Draft, turn: Turn, message: SiteMessage): void {
  if (message.state === 'running') {
    if (isOpen(turn)) draft.sees(turn, message.id);
  } else if (message.state === 'incomplete') {
    // A final mark that was seen counts more than a reading that may have been made before it.
    if (!isOpen(turn)) return;
    draft.close(turn);
    draft.report(turn, 'incomplete_answer: reading');
  } else if (turn.final === null || turn.final.messageId === message.id) {
    draft.finish(turn, { messageId: message.id, text: message.text }, true);
  }
}

/** The conversation ends with an answer that is being written and that no turn knows, as after a restart. */
function openForRunning(
  draft: Draft,
  { platform, tabId }: ReadingSource,
  { conversationId, messages }: SiteReading,
): void {
  const last = messages.at(-1);
  if (last?.role !== 'assistant' || last.state !== 'running') return;
  if (draft.turns.some((turn) => turn.platform === platform && names(turn, last.id))) return;
  const id = answerTurnId(platform, last.id);
  const turn = draft.open({ platform, tabId, requestId: null, id, conversationId });
  const question = messages.findLast(({ role }) => role === 'user');
  draft.sees(draft.change(turn, { phase: 'waiting', userMessageId: question?.id ?? null }), last.id);
}

export interface ReadingSource {
  platform: Platform;
  tabId: number;
}

export function onReading(draft: Draft, source: ReadingSource, reading: SiteReading): void {
  const { platform } = source;
  const { conversationId, messages } = reading;
  for (const turn of draft.turns) {
    if (turn.platform !== platform || turn.phase === 'offered' || turn.phase === 'set_aside') continue;
    if (turn.conversationId !== null && turn.conversationId !== conversationId) continue;
    const found = find(turn, messages);
    if (found === null) continue;
    // Only an id proves that a turn belongs to this conversation.
    if (turn.conversationId === null && !found.byId) continue;
    onAnswer(draft, draft.change(turn, { conversationId }), found.message);
  }
  openForRunning(draft, source, reading);
}
