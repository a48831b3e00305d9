/** The steps of a node's start, in order; the command `checklist` and every snapshot show them. */
export const CHECKLIST = [
  ['register-controller', 'register this node at the edge'],
  ['acquire-lease', 'request the leader lease once'],
  ['load-runs', 'find the work that an earlier process of this agent left unfinished'],
  ['reconcile-runs', 'end or continue each of it, by its marks on disk'],
  ['start-heartbeat-loop', 'open the channel to the edge and keep it alive'],
  ['start-scheduler', 'take work: a leader any work, a standby the work that is addressed to it'],
] as const;

export type ChecklistKey = (typeof CHECKLIST)[number][0];

export interface ChecklistStep {
  key: ChecklistKey;
  description: string;
  status: 'open' | 'ok' | 'failed';
  /** What the step did, or why it failed. */
  note: string | null;
}

export class Checklist {
  readonly #steps: ChecklistStep[] = CHECKLIST.map(([key, description]) => ({
    key,
    description,
    status: 'open',
    note: null,
  }));

  /** Runs one step and keeps its outcome. A failed step does not stop the start. */
  async run(key: ChecklistKey, step: () => Promise<string> | string): Promise<void> {
    try {
      this.#note(key, 'ok', await step());
    } catch (error) {
      this.#note(key, 'failed', error instanceof Error ? error.message : String(error));
    }
  }

  steps(): ChecklistStep[] {
    return this.#steps.map((step) => ({ ...step }));
  }

  #note(key: ChecklistKey, status: 'ok' | 'failed', note: string): void {
    const step = this.#steps.find((one) => one.key === key);
    if (step) Object.assign(step, { status, note });
  }
}
