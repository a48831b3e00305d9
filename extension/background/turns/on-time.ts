/** What a page shows, and what the passing of time means for turns. */
import type { Draft } from './draft.ts';
import type { TurnEvent } from './events.ts';
import { TURN_LIMITS } from './events.ts';
import { askPage } from './on-shown.ts';
import type { Turn } from './turn.ts';
import { isOpen } from './turn.ts';

type PageEvent = Extract<TurnEvent, { type: 'page' }>;

/** The id of a new conversation appears in the address of the tab that started it. */
function bindByAddress(draft: Draft, turn: Turn, { tabId, look }: PageEvent): Turn {
  const { kind, conversationId } = look.address;
  if (turn.tabId !== tabId || turn.conversationId !== null || turn.isTemporary) return turn;
  if (kind === 'conversation' && turn.isOnShellPage) {
    return draft.change(turn, { conversationId, isOnShellPage: false });
  }
  return draft.change(turn, { isOnShellPage: kind === 'new' || kind === 'provisional' });
}

/** The page writes nothing more: it shows a finished answer, or has lost the one that it was writing. */
function isSettled(draft: Draft, turn: Turn, { isAnswering, lastAnswer }: PageEvent['look']): boolean {
  if (isAnswering) return false;
  if (lastAnswer?.isFinished !== true) return true;
  // For a moment the page may still show the answer before this one.
  return lastAnswer.id === null || !draft.wasSent(turn, lastAnswer.id);
}

function isShown(turn: Turn, { tabId, look }: PageEvent): boolean {
  const { conversationId } = look.address;
  return turn.conversationId === null ? turn.tabId === tabId : turn.conversationId === conversationId;
}

export function onPage(draft: Draft, event: PageEvent): void {
  for (const turn of draft.turns) {
    if (turn.platform !== event.platform) continue;
    const bound = bindByAddress(draft, turn, event);
    if (bound.phase === 'unbound' && bound.conversationId !== null) draft.offer(bound);
    else if (isOpen(bound) && isShown(bound, event)) {
      const settledAt = isSettled(draft, bound, event.look) ? (bound.settledAt ?? draft.now) : null;
      if (settledAt !== bound.settledAt) draft.change(bound, { settledAt });
    }
  }
}

/** When something is to be done for this turn next, if nothing happens before. */
export function dueAt(turn: Turn): number {
  const { phase, phaseAt, activeAt, openedAt, settledAt, reading, looks, offerAt } = turn;
  // The queue responds to every offer, so that one that is under way has no time of its own.
  if (phase === 'offered') return offerAt ?? Number.POSITIVE_INFINITY;
  if (phase === 'set_aside') return Number.POSITIVE_INFINITY;
  const end = openedAt + TURN_LIMITS.life;
  if (phase === 'confirming') return phaseAt + TURN_LIMITS.confirm;
  if (phase === 'unbound') return phaseAt + TURN_LIMITS.bind;
  const settled = settledAt === null ? Number.POSITIVE_INFINITY : settledAt + TURN_LIMITS.settle;
  if (phase === 'waiting' && reading === 'undecided') {
    return Math.min(end, Math.max(settled, looks === 0 ? 0 : activeAt + TURN_LIMITS.showAgain));
  }
  if (reading !== 'none') return end;
  if (phase === 'streaming') return Math.min(end, Math.max(settled, activeAt + TURN_LIMITS.quiet));
  return Math.min(
    end,
    Math.max(settled, phaseAt + TURN_LIMITS.patience),
    Math.max(activeAt, phaseAt) + TURN_LIMITS.stale,
  );
}

export function onTick(draft: Draft): void {
  const { now } = draft;
  for (const turn of draft.turns) {
    if (dueAt(turn) > now) continue;
    if (turn.offerAt !== null) {
      // Its text is there, so it is kept for as long as that takes.
      draft.offer(turn);
    } else if (turn.phase === 'confirming' || turn.phase === 'unbound') {
      if (turn.conversationId === null) draft.report(turn, 'conversation_unknown');
      draft.offer(turn);
    } else if (turn.openedAt + TURN_LIMITS.life <= now) {
      draft.close(turn);
      draft.report(turn, 'answer_lost');
    } else if (turn.reading === 'undecided') {
      askPage(draft, turn);
    } else {
      readOnce(draft, turn);
    }
  }
}

/** Reads for the open turns of a conversation, as far as that was not done for them. */
export function onReread(draft: Draft, { platform, conversationId }: Extract<TurnEvent, { type: 'reread' }>): void {
  for (const turn of draft.turns) {
    const isMeant = turn.platform === platform && turn.conversationId === conversationId;
    if (isMeant && isOpen(turn) && turn.reading === 'none') readOnce(draft, turn);
  }
}

function readOnce(draft: Draft, turn: Turn): void {
  const waiting = turn.phase === 'waiting' ? turn : draft.change(turn, { phase: 'waiting' });
  if (waiting.conversationId !== null && !waiting.isTemporary) draft.ask(waiting);
  // Nothing can be read, so this is not tried again.
  else draft.change(waiting, { reading: 'done' });
}
