/**
 * What is done about an answer that does not end: pure. Look first, then read the conversation again, then load the page
 * again at growing waits, three times at most and three times an hour for a conversation. Any progress ends it, and so does
 * a page whose own marks say that the answer is over; a person who types, a draft in the composer, a delivery, a pause of
 * the system, or a page that asks for something makes it wait.
 */
import type { Platform } from '../../../schema/contracts/common.ts';
import type { PageLook } from '../../messages.ts';

const MINUTE_MS = 60_000;
/** How long an open turn may be quiet. Long thinking shows progress of its own. */
const QUIET_MS = 4 * MINUTE_MS;
const AFTER_READING_MS = MINUTE_MS;
/** The wait after each reload. Their number is the most reloads of one turn. */
const AFTER_RELOAD_MS = [2 * MINUTE_MS, 5 * MINUTE_MS, 10 * MINUTE_MS] as const;
const BLOCKED_MS = MINUTE_MS;
const PERSON_MS = 2 * MINUTE_MS;
const HOUR_MS = 60 * MINUTE_MS;
const MAX_RELOADS_PER_HOUR = 3;
/** After this a turn is left alone. */
const GIVE_UP_MS = 2 * HOUR_MS;

/** A turn of a conversation that has not ended. */
export interface OpenTurn {
  platform: Platform;
  tabId: number;
  conversationId: string;
  openedAt: number;
  rung: 'quiet' | 'reading' | 'reloading';
  reloads: number;
  /** When to look; null while a look is under way. */
  wakeAt: number | null;
}

export type LadderEffect =
  | { type: 'look' }
  /** Has the conversation read from its site. */
  | { type: 'read' }
  | { type: 'reload' }
  | { type: 'report'; message: string };

/** `next` is null when nothing more is done about the turn. */
export interface Climbed {
  next: OpenTurn | null;
  effects: LadderEffect[];
}

export function openTurn(of: Pick<OpenTurn, 'platform' | 'tabId' | 'conversationId'>, now: number): OpenTurn {
  return { ...of, openedAt: now, rung: 'quiet', reloads: 0, wakeAt: now + QUIET_MS };
}

/** Whether something is being done about the turn, so that a person may want to stop it. */
export function isHelped({ rung }: OpenTurn): boolean {
  return rung !== 'quiet';
}

/** The answer grows: the ladder begins at its foot again. Reloads that were made count on. */
export function afterProgress(turn: OpenTurn, now: number): OpenTurn {
  return { ...turn, rung: 'quiet', wakeAt: now + QUIET_MS };
}

export function onWake(turn: OpenTurn, now: number): Climbed {
  if (turn.wakeAt === null || now < turn.wakeAt) return { next: turn, effects: [] };
  if (now - turn.openedAt > GIVE_UP_MS) return givenUp('the answer has not ended for two hours');
  return { next: { ...turn, wakeAt: null }, effects: [{ type: 'look' }] };
}

/** What a tab shows: nothing when the browser has unloaded it or its page does not respond. */
export type Seen = { type: 'page'; look: PageLook } | { type: 'unresponsive' } | { type: 'gone' };

/** Whether the page must not be loaded again now. */
function isBlocked({ typedAgoMs, composer, obstacle }: PageLook): boolean {
  const isTyping = typedAgoMs !== null && typedAgoMs < PERSON_MS;
  return isTyping || composer === 'draft' || composer === 'busy' || obstacle !== null;
}

/** `reloadsInHour`: of this conversation. `isHeld`: a message is being sent in this tab, or the system is paused. */
export function onSeen(turn: OpenTurn, seen: Seen, reloadsInHour: number, isHeld: boolean, now: number): Climbed {
  if (seen.type === 'gone') return { next: null, effects: [] };
  if (seen.type === 'page' && seen.look.address.conversationId !== turn.conversationId)
    return { next: null, effects: [] };
  if (turn.rung === 'quiet' && seen.type === 'page') {
    const state = seen.look.isAnswering
      ? 'the page still shows an answer in progress'
      : 'the page shows no answer in progress';
    const report: LadderEffect = { type: 'report', message: `a quiet turn is read again: ${state}` };
    return { next: { ...turn, rung: 'reading', wakeAt: now + AFTER_READING_MS }, effects: [{ type: 'read' }, report] };
  }
  if (seen.type === 'page' && seen.look.isOver) {
    const message = 'a quiet turn is over, as its page shows: the page is not loaded again';
    return { next: null, effects: [{ type: 'report', message }] };
  }
  return reload(turn, seen, reloadsInHour, isHeld, now);
}

function reload(turn: OpenTurn, seen: Seen, reloadsInHour: number, isHeld: boolean, now: number): Climbed {
  if (isHeld || (seen.type === 'page' && isBlocked(seen.look))) {
    return { next: { ...turn, wakeAt: now + BLOCKED_MS }, effects: [] };
  }
  const wait = AFTER_RELOAD_MS[turn.reloads];
  if (wait === undefined) return givenUp(`the answer has not ended after ${turn.reloads} reloads`);
  if (reloadsInHour >= MAX_RELOADS_PER_HOUR) return { next: { ...turn, wakeAt: now + 10 * MINUTE_MS }, effects: [] };
  const reloads = turn.reloads + 1;
  const report: LadderEffect = {
    type: 'report',
    message: `a page that lost its answer is loaded again, time ${reloads}`,
  };
  return { next: { ...turn, rung: 'reloading', reloads, wakeAt: now + wait }, effects: [{ type: 'reload' }, report] };
}

function givenUp(why: string): Climbed {
  return { next: null, effects: [{ type: 'report', message: `${why}: its tab needs a person` }] };
}

/** The times of reloads that still count at `now`. */
export function withinHour(times: readonly number[], now: number): number[] {
  return times.filter((at) => at > now - HOUR_MS);
}
