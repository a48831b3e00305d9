/**
 * Work in lanes: within a lane one after the other, in the order it came; lanes beside each other, but no more than
 * `limit` at once. A job that fails is told to `onError` and does not stop its lane.
 */
export class KeyedQueue {
  readonly #limit: number;
  readonly #onError: (error: unknown) => void;
  readonly #tails = new Map<string, Promise<void>>();
  readonly #waiting: (() => void)[] = [];
  #busy = 0;

  constructor(limit: number, onError: (error: unknown) => void) {
    this.#limit = limit;
    this.#onError = onError;
  }

  /** Runs `job` when the ones before it in the lane have ended and a place is free. */
  run(lane: string, job: () => Promise<void>): void {
    const before = this.#tails.get(lane) ?? Promise.resolve();
    const tail = before.then(() => this.#inPlace(job)).catch(this.#onError);
    this.#tails.set(lane, tail);
    void tail.then(() => {
      if (this.#tails.get(lane) === tail) this.#tails.delete(lane);
    });
  }

  /** When every job has ended, those included that come meanwhile. */
  async idle(): Promise<void> {
    while (this.#tails.size > 0) await Promise.all(this.#tails.values());
  }

  async #inPlace(job: () => Promise<void>): Promise<void> {
    if (this.#busy < this.#limit) this.#busy += 1;
    // A place is handed over, not given back and taken again, so that nobody slips in between.
    else await new Promise<void>((resolve) => this.#waiting.push(resolve));
    try {
      await job();
    } finally {
      const next = this.#waiting.shift();
      if (next) next();
      else this.#busy -= 1;
    }
  }
}
