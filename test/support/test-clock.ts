import { setImmediate } from 'node:timers/promises';
import type { Clock } from '../../local-agent/lib/clock.ts';

interface Timer {
  at: number;
  run: () => void;
}

/** A clock that a test moves. Both its clocks move together unless a test sets one; timers follow the monotonic one. */
export class TestClock implements Clock {
  wallMs: number;
  monotonicMs = 0;
  #timers: Timer[] = [];

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
    this.#timers.push(timer);
    return () => this.#remove(timer);
  }

  get pendingTimers(): number {
    return this.#timers.length;
  }

  /** Moves time on and runs each timer at its time, those included that other timers set. Nothing else runs meanwhile. */
  advance(ms: number): void {
    const end = this.monotonicMs + ms;
    for (let timer = this.#nextUntil(end); timer; timer = this.#nextUntil(end)) this.#fire(timer);
    this.#move(end - this.monotonicMs);
  }

  /** The same, with time for asynchronous work before and after each timer. */
  async elapse(ms: number): Promise<void> {
    const end = this.monotonicMs + ms;
    await this.flush();
    for (let timer = this.#nextUntil(end); timer; timer = this.#nextUntil(end)) {
      this.#fire(timer);
      await this.flush();
    }
    this.#move(end - this.monotonicMs);
    await this.flush();
  }

  /** Lets promises and callbacks run that are ready; no time passes. */
  async flush(): Promise<void> {
    for (let turn = 0; turn < 4; turn += 1) await setImmediate();
  }

  /** Resolves when a timer is set. */
  async timerSet(): Promise<void> {
    while (this.#timers.length === 0) await setImmediate();
  }

  /** Drops every timer, as the end of a process does. */
  dropTimers(): void {
    this.#timers = [];
  }

  #nextUntil(end: number): Timer | undefined {
    return this.#timers.filter(({ at }) => at <= end).sort((a, b) => a.at - b.at)[0];
  }

  #fire(timer: Timer): void {
    this.#move(Math.max(0, timer.at - this.monotonicMs));
    this.#remove(timer);
    timer.run();
  }

  #remove(timer: Timer): void {
    this.#timers = this.#timers.filter((other) => other !== timer);
  }

  #move(ms: number): void {
    this.monotonicMs += ms;
    this.wallMs += ms;
  }
}

/** A clock whose every wait is over at once. */
export function instantClock(): Clock {
  let now = 0;
  return {
    now: () => now,
    monotonic: () => now,
    after(ms, run) {
      now += ms;
      queueMicrotask(run);
      return () => undefined;
    },
  };
}
