/** What a node does before it works, in this order; the command `checklist` and every snapshot show it. */
export const CHECKLIST = [
  ['register-controller', 'tell the edge that this node is there'],
  ['acquire-lease', 'ask for the leader lease once'],
  ['load-runs', 'find what an earlier life of this agent left unfinished'],
  ['reconcile-runs', 'end or go on with each of those, as its marks on disk say'],
  ['start-heartbeat-loop', 'open the channel to the edge and keep it alive'],
  ['start-scheduler', 'take work: a leader everything it can, a standby what is addressed to it'],
] as const;

export type ChecklistKey = (typeof CHECKLIST)[number][0];

export interface ChecklistStep {
  key: ChecklistKey;
  description: string;
  status: 'open' | 'ok' | 'failed';
  /** What it did, or why it failed. */
  note: string | null;
}

export class Checklist {
  readonly #steps: ChecklistStep[] = CHECKLIST.map(([key, description]) => ({
    key,
    description,
    status: 'open',
    note: null,
  }));

  /** Runs one step and keeps what came of it; a failed step stops nothing. */
  async run(key: ChecklistKey, step: () => Promise<string> | string): Promise<void> {
    try {
      this.#end(key, 'ok', await step());
    } catch (error) {
      this.#end(key, 'failed', error instanceof Error ? error.message : String(error));
    }
  }

  steps(): ChecklistStep[] {
    return this.#steps.map((step) => ({ ...step }));
  }

  #end(key: ChecklistKey, status: 'ok' | 'failed', note: string): void {
    const step = this.#steps.find((one) => one.key === key);
    if (step) Object.assign(step, { status, note });
  }
}
