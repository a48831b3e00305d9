/**
 * Long work in short turns. The agent has one thread: work that depends on what others wrote (file trees, patterns, long
 * texts) passes here often, and gives the thread to everything else as soon as its turn has been long enough.
 */
import { setImmediate } from 'node:timers/promises';

/** Short against the 250 ms that nothing may exceed, long against the cost of a turn. */
const TURN_MS = 20;

export class Turns {
  #startedAt = performance.now();

  /** Whether this turn has lasted long enough. */
  get due(): boolean {
    return performance.now() - this.#startedAt > TURN_MS;
  }

  /** Ends the turn when it is due. */
  async pass(): Promise<void> {
    if (!this.due) return;
    await setImmediate();
    this.#startedAt = performance.now();
  }
}

const RUN_LENGTH = 8_192;

function merge(left: readonly string[], right: readonly string[], out: string[], from: { l: number; r: number }): void {
  for (let count = 0; count < RUN_LENGTH; count++) {
    const a = left[from.l];
    const b = right[from.r];
    if (a === undefined && b === undefined) return;
    if (b === undefined || (a !== undefined && a <= b)) {
      out.push(a ?? '');
      from.l += 1;
    } else {
      out.push(b);
      from.r += 1;
    }
  }
}

/** The names in order, sorted in runs so that no turn is long. */
export async function sortInTurns(names: readonly string[], turns: Turns): Promise<string[]> {
  let runs: string[][] = [];
  for (let at = 0; at < names.length; at += RUN_LENGTH) {
    runs.push(names.slice(at, at + RUN_LENGTH).sort());
    await turns.pass();
  }
  while (runs.length > 1) {
    const merged: string[][] = [];
    for (let i = 0; i < runs.length; i += 2) {
      const left = runs[i] ?? [];
      const right = runs[i + 1] ?? [];
      const out: string[] = [];
      const from = { l: 0, r: 0 };
      while (out.length < left.length + right.length) {
        merge(left, right, out, from);
        await turns.pass();
      }
      merged.push(out);
    }
    runs = merged;
  }
  return runs[0] ?? [];
}
