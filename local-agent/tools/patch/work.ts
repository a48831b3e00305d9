/** The work of one patch: it is limited, it gives way to the event loop at regular intervals, and it ends with its signal. */
import { setImmediate } from 'node:timers/promises';
import { PatchError } from './patch-error.ts';

/** Lines looked at before the event loop gets its turn: some milliseconds. */
export const STEPS_PER_TURN = 50_000;
const MAX_STEPS = 200_000_000;

export class Work {
  readonly #signal: AbortSignal;
  #left = MAX_STEPS;
  #untilTurn = STEPS_PER_TURN;

  constructor(signal: AbortSignal) {
    this.#signal = signal;
  }

  /** Counts steps, at most `STEPS_PER_TURN` at once. @throws PatchError beyond the limit, or the reason of the signal */
  async spend(steps: number): Promise<void> {
    this.#left -= steps;
    if (this.#left < 0) {
      throw new PatchError(
        'patch_too_large',
        'too many hunks have to be searched for in too large a file; split the patch',
      );
    }
    this.#untilTurn -= steps;
    if (this.#untilTurn > 0) return;
    this.#untilTurn = STEPS_PER_TURN;
    await setImmediate();
    this.#signal.throwIfAborted();
  }
}
