/**
 * A clock that moves only when told. Unlike FakeClock it runs timers within `advance`, without letting anything else
 * run in between: for what is synchronous, where a test wants to look at every moment.
 */
import { setImmediate } from 'node:timers/promises';
import type { Clock } from '../../local-agent/lib/clock.ts';

export class ManualClock implements Clock {
  #now: number;
  #timers: { at: number; run: () => void }[] = [];

  constructor(now = 1_800_000_000_000) {
    this.#now = now;
  }

  now(): number {
    return this.#now;
  }

  monotonic(): number {
    return this.#now;
  }

  after(delayMs: number, run: () => void): () => void {
    const timer = { at: this.#now + delayMs, run };
    this.#timers.push(timer);
    return () => {
      this.#timers = this.#timers.filter((other) => other !== timer);
    };
  }

  /** Resolves when a timer is armed. */
  async armed(): Promise<void> {
    while (this.#timers.length === 0) await setImmediate();
  }

  /** Drops every timer, as the end of a process does. */
  dropTimers(): void {
    this.#timers = [];
  }

  /** Moves time on and runs what falls due, including what that arms. */
  advance(ms: number): void {
    const until = this.#now + ms;
    for (;;) {
      const next = this.#timers.filter((timer) => timer.at <= until).sort((a, b) => a.at - b.at)[0];
      if (!next) break;
      this.#timers = this.#timers.filter((timer) => timer !== next);
      this.#now = Math.max(this.#now, next.at);
      next.run();
    }
    this.#now = until;
  }
}
