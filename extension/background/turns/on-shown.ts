/**
 * The last way to an answer: what its page shows in the end. It counts only after our one reading of the conversation has
 * not decided, and only as far as the page itself proves it (see content/shown-answer.ts); else the turn stays open for a
 * reading of the page, and what kept it from being taken is reported.
 */
import type { ShownAnswer } from '../../messages.ts';
import type { SiteReading } from '../../sites/facts.ts';
import type { Draft } from './draft.ts';
import { TURN_LIMITS } from './events.ts';
import type { Turn } from './turn.ts';
import { names } from './turn.ts';

/** Whether our reading leaves the answer open: it failed, or was made while the answer was being written. */
export function isUndecided(turn: Turn, reading: SiteReading | null): boolean {
  if (reading === null) return true;
  const last = reading.messages.at(-1);
  return last?.state === 'running' && names(turn, last.id);
}

export function askPage(draft: Draft, turn: Turn): void {
  const { conversationId } = turn;
  if (conversationId === null || turn.isTemporary) return;
  const next = draft.change(turn, { reading: 'looking', looks: turn.looks + 1 });
  draft.effects.push({ type: 'show', turn: next, conversationId });
}

export function onShown(draft: Draft, turn: Turn, answer: ShownAnswer): void {
  if (turn.phase !== 'waiting' || turn.reading !== 'looking') return;
  if (answer.isFinal) {
    draft.finishByPage(turn, answer);
  } else if (turn.looks < TURN_LIMITS.shows) {
    draft.change(turn, { reading: 'undecided', activeAt: draft.now });
  } else {
    draft.change(turn, { reading: 'done' });
    draft.report(turn, `answer_not_taken_from_page: ${answer.reason}`);
  }
}
