/** A clock that runs so many times as fast as the real one: an hour of the policy takes minutes. */
import type { Clock } from '../../../local-agent/lib/clock.ts';

export class FastClock implements Clock {
  readonly #speed: number;
  readonly #base = Date.now();
  readonly #start = performance.now();

  constructor(speed: number) {
    this.#speed = speed;
  }

  now(): number {
    return this.#base + Math.round(this.monotonic());
  }

  monotonic(): number {
    return (performance.now() - this.#start) * this.#speed;
  }

  after(delayMs: number, run: () => void): () => void {
    const timer = setTimeout(run, delayMs / this.#speed);
    return () => clearTimeout(timer);
  }

  sleep(delayMs: number): Promise<void> {
    return new Promise((resolve) => void this.after(delayMs, resolve));
  }
}
