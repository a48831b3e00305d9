/**
 * Actions of a person and how they fare. A control shows that it waits from the press until the edge has confirmed it and
 * a view has arrived after that; what it shows then comes from the view, never from the press.
 */
import { useEffect, useRef, useState } from 'preact/hooks';
import type { ActionOutcome, PersonAction, StopHelp } from '../people-messages.ts';
import type { PeopleClient } from './client.ts';
import type { PressEvent, Verdict } from './genuine.ts';
import type { Translate } from './texts.ts';

/** How long a confirmed action waits for the view that shows it. */
const SETTLE_MS = 3_000;

export interface ActionState {
  isPending: boolean;
  /** In words; null for none. */
  error: string | null;
}
const IDLE: ActionState = { isPending: false, error: null };

export interface Actions {
  stateOf(key: string): ActionState;
  /** Does nothing for a press that no person made, or that was made through something over the panel. */
  press(event: PressEvent, key: string, action: PersonAction | StopHelp): void;
  /** Opens the window in which an instruction is approved; null where it is approved at once. */
  review: ((event: PressEvent, key: string, instructionId: string) => void) | null;
  /** Whether a press counts; one that was covered is reported at `key`. */
  isGenuine(event: PressEvent, key: string): boolean;
  dismiss(key: string): void;
}

/** `approves`: whether an instruction may be approved here, in a page of the extension, or in a window of its own. */
export function useActions(
  client: PeopleClient,
  judge: (event: PressEvent) => Verdict,
  t: Translate,
  approves: 'here' | 'in a window',
): Actions {
  const [states, setStates] = useState<ReadonlyMap<string, ActionState>>(new Map());
  const isMounted = useRef(true);
  useEffect(
    () => () => {
      isMounted.current = false;
    },
    [],
  );
  const set = (key: string, state: ActionState): void => {
    if (isMounted.current) setStates((before) => new Map(before).set(key, state));
  };
  const isGenuine = (event: PressEvent, key: string): boolean => {
    const verdict = judge(event);
    if (verdict === 'covered') set(key, { isPending: false, error: t('covered') });
    return verdict === 'genuine';
  };
  const request = async (key: string, send: () => Promise<ActionOutcome>): Promise<boolean> => {
    set(key, { isPending: true, error: null });
    const outcome = await send();
    if (outcome.ok) return true;
    set(key, { isPending: false, error: outcome.message || t('error_connection_lost') });
    return false;
  };
  const perform = async (key: string, action: PersonAction | StopHelp): Promise<void> => {
    const before = client.view;
    const send = () => ('order' in action ? client.stopHelp(action) : client.act(action));
    if (!(await request(key, send))) return;
    if (client.view === before) await nextView(client);
    set(key, IDLE);
  };
  const openReview = async (key: string, instructionId: string): Promise<void> => {
    if (await request(key, () => client.review(instructionId))) set(key, IDLE);
  };
  const isFree = (event: PressEvent, key: string) => isGenuine(event, key) && !states.get(key)?.isPending;
  return {
    stateOf: (key) => states.get(key) ?? IDLE,
    isGenuine,
    press: (event, key, action) => {
      if (isFree(event, key)) void perform(key, action);
    },
    review:
      approves === 'here'
        ? null
        : (event, key, instructionId) => {
            if (isFree(event, key)) void openReview(key, instructionId);
          },
    dismiss: (key) => set(key, IDLE),
  };
}

/** Resolves at the next view, or after a bounded wait: a change that changes nothing causes none. */
function nextView(client: PeopleClient): Promise<void> {
  return new Promise((resolve) => {
    const unsubscribe = client.onChange(done);
    const timer = setTimeout(done, SETTLE_MS);
    function done(): void {
      unsubscribe();
      clearTimeout(timer);
      resolve();
    }
  });
}
