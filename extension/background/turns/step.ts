/** The turns of all tabs as one state machine: an event gives the next state and what follows from it. */
import { Draft } from './draft.ts';
import type { Step, TurnEvent, TurnRules } from './events.ts';
import { onNotStored } from './on-not-stored.ts';
import { onReading } from './on-reading.ts';
import { isUndecided, onShown } from './on-shown.ts';
import { dueAt, onPage, onReread, onTick } from './on-time.ts';
import { onTraffic } from './on-traffic.ts';
import type { Turn, TurnsState } from './turn.ts';

function onOwnReading(draft: Draft, event: Extract<TurnEvent, { type: 'own_reading' }>): void {
  const { turnId, wasAsked, reading } = event;
  const turn = draft.turns.find(({ id }) => id === turnId);
  if (turn === undefined) return;
  // Without a page, the turn waits for one as if it had just been lost.
  const missed = { reading: 'none', activeAt: draft.now, settledAt: null } as const;
  const asked = draft.change(turn, wasAsked ? { reading: 'done' } : missed);
  if (reading !== null) onReading(draft, asked, reading);
  const after = draft.turns.find(({ id }) => id === turnId);
  if (after?.phase === 'confirming') draft.offer(after);
  else if (after?.phase === 'waiting' && wasAsked) {
    draft.report(after, 'answer_not_in_reading');
    if (isUndecided(after, reading)) draft.lookAt(draft.change(after, { reading: 'undecided' }));
  }
}

function apply(draft: Draft, event: TurnEvent): void {
  const turnOf = (id: string): Turn | undefined => draft.turns.find((turn) => turn.id === id);
  switch (event.type) {
    case 'traffic':
      onTraffic(draft, event.event);
      break;
    case 'page':
      onPage(draft, event);
      break;
    case 'own_reading':
      onOwnReading(draft, event);
      break;
    case 'shown': {
      const turn = turnOf(event.turnId);
      if (turn !== undefined) onShown(draft, turn, event.answer);
      break;
    }
    case 'stored': {
      const turn = turnOf(event.turnId);
      if (turn !== undefined) draft.stored(turn);
      break;
    }
    case 'not_stored': {
      const turn = turnOf(event.turnId);
      if (turn !== undefined) onNotStored(draft, turn, event.why);
      break;
    }
    case 'room':
      for (const turn of draft.turns) if (turn.offerAt !== null && turn.failures === 0) draft.offer(turn);
      break;
    case 'reread':
      onReread(draft, event);
      break;
    case 'tick':
      onTick(draft);
      break;
    case 'browser_start':
      for (const turn of draft.turns) if (turn.phase === 'set_aside') draft.offer(turn);
      break;
    default:
      event satisfies never;
  }
}

export function step(state: TurnsState, event: TurnEvent, now: number, rules: TurnRules): Step {
  const draft = new Draft(state, now, rules);
  apply(draft, event);
  return draft.result();
}

/** What was asked of a page is asked again. */
const RESUMED = {
  none: 'none',
  asked: 'none',
  undecided: 'undecided',
  looking: 'undecided',
  done: 'done',
} as const satisfies Record<Turn['reading'], Turn['reading']>;

/** The state after a restart of the background page, in which every stream and every reading of ours was lost. */
export function resume(state: TurnsState, now: number, rules: TurnRules): Step {
  const draft = new Draft(state, now, rules);
  for (const turn of draft.turns) {
    const asked = draft.change(turn, { reading: RESUMED[turn.reading] });
    if (asked.phase === 'streaming') draft.change(asked, { phase: 'waiting' });
    else if (asked.phase === 'offered' && (asked.failures === 0 || (asked.offerAt ?? now) <= now)) draft.offer(asked);
  }
  return draft.result();
}

/** When the next tick is due; null when nothing is. */
export function nextDue({ turns }: TurnsState): number | null {
  const due = Math.min(...turns.map(dueAt));
  return Number.isFinite(due) ? due : null;
}
