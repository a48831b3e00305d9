/**
 * A final message that the queue has not taken. One that finds the queue full waits for room. One that fails on its way is
 * offered again a few times at growing waits; then it is set aside, so that a fault that never passes costs nothing more.
 * It is kept and shown, and each start of the browser offers it once more.
 */
import type { Draft } from './draft.ts';
import type { TurnEvent } from './events.ts';
import { TURN_LIMITS } from './events.ts';
import type { Turn } from './turn.ts';
import { MAX_SET_ASIDE } from './turn.ts';

export function onNotStored(draft: Draft, turn: Turn, why: Extract<TurnEvent, { type: 'not_stored' }>['why']): void {
  if (why === 'refused') {
    draft.close(turn);
  } else if (why === 'full') {
    draft.change(turn, { failures: 0, offerAt: draft.now + TURN_LIMITS.offerAgain });
  } else {
    const failures = turn.failures + 1;
    if (failures >= TURN_LIMITS.offers) setAside(draft, draft.change(turn, { failures }));
    else draft.change(turn, { failures, offerAt: draft.now + TURN_LIMITS.offerAgain * 2 ** (failures - 1) });
  }
}

function setAside(draft: Draft, turn: Turn): void {
  draft.change(turn, { phase: 'set_aside', offerAt: null });
  draft.report(turn, 'message_set_aside');
  const all = draft.turns.filter(({ phase }) => phase === 'set_aside');
  const [oldest] = all;
  if (all.length <= MAX_SET_ASIDE || oldest === undefined) return;
  draft.close(oldest);
  draft.report(oldest, 'message_lost: too many are set aside');
}
