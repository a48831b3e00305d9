import { setImmediate } from 'node:timers/promises';
import type { Clock } from '../../local-agent/lib/clock.ts';

interface Timer {
  at: number;
  run: () => void;
}

/** Time that moves only when a test says so. Timers follow the monotonic clock. */
export class FakeClock implements Clock {
  wallMs: number;
  monotonicMs = 0;
  readonly #timers = new Set<Timer>();

  constructor(wallMs = 1_800_000_000_000) {
    this.wallMs = wallMs;
  }

  now(): number {
    return this.wallMs;
  }

  monotonic(): number {
    return this.monotonicMs;
  }

  after(delayMs: number, run: () => void): () => void {
    const timer = { at: this.monotonicMs + Math.max(0, delayMs), run };
    this.#timers.add(timer);
    return () => this.#timers.delete(timer);
  }

  get pendingTimers(): number {
    return this.#timers.size;
  }

  /** Lets promises and callbacks that are ready run. */
  async settle(): Promise<void> {
    for (let turn = 0; turn < 4; turn += 1) await setImmediate();
  }

  /** Moves both clocks on, running every timer at its time. */
  async advance(ms: number): Promise<void> {
    const end = this.monotonicMs + ms;
    for (;;) {
      await this.settle();
      const next = [...this.#timers].filter((timer) => timer.at <= end).sort((a, b) => a.at - b.at)[0];
      if (next === undefined) break;
      this.#move(Math.max(0, next.at - this.monotonicMs));
      this.#timers.delete(next);
      next.run();
    }
    this.#move(end - this.monotonicMs);
    await this.settle();
  }

  #move(ms: number): void {
    this.monotonicMs += ms;
    this.wallMs += ms;
  }
}
