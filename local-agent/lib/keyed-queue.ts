/**
 * A queue of jobs by key: jobs of one key run one after the other, in the order in which they were added; jobs of
 * different keys run in parallel, at most `limit` at once. A job that fails is reported and does not stop its key.
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

  /** Runs `job` when the jobs before it with that key have ended and a slot is free. */
  run(key: string, job: () => Promise<void>): void {
    const before = this.#tails.get(key) ?? Promise.resolve();
    const tail = before.then(() => this.#runInSlot(job)).catch(this.#onError);
    this.#tails.set(key, tail);
    void tail.then(() => {
      if (this.#tails.get(key) === tail) this.#tails.delete(key);
    });
  }

  /** Resolves when every job has ended, including those that are added meanwhile. */
  async idle(): Promise<void> {
    while (this.#tails.size > 0) await Promise.all(this.#tails.values());
  }

  async #runInSlot(job: () => Promise<void>): Promise<void> {
    if (this.#busy < this.#limit) this.#busy += 1;
    // A slot is handed to the next waiter directly, so that a newly added job cannot take it first.
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
