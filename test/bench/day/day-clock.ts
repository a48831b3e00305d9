/** A day that passes faster: what happens at an hour of it waits for that hour. */
import { setTimeout } from 'node:timers/promises';

export class DayClock {
  readonly hourMs: number;
  readonly #start = performance.now();

  /** `hourMs`: what an hour of the day takes. */
  constructor(hourMs: number) {
    this.hourMs = hourMs;
  }

  /** Hours since the day began. */
  now(): number {
    return (performance.now() - this.#start) / this.hourMs;
  }

  /** Resolves at that hour, at once when it is past. */
  async until(hour: number): Promise<void> {
    const ms = (hour - this.now()) * this.hourMs;
    if (ms > 0) await setTimeout(ms);
  }
}
