/** Keeps lines that a stranger can cause from filling the log: some are written, the others are counted. */
import type { RateLimiter } from './rate-limit.ts';

/** Of a text that a stranger chose, the log gets this much. */
const MAX_FOREIGN_CHARS = 100;

export class LogLimit {
  readonly #limiter: RateLimiter;
  #left = 0;

  constructor(limiter: RateLimiter) {
    this.#limiter = limiter;
  }

  /** Calls `write` with how many lines were left out since the last one, or leaves this one out. */
  write(write: (leftOut: number) => void): void {
    if (!this.#limiter.take()) {
      this.#left += 1;
      return;
    }
    const leftOut = this.#left;
    this.#left = 0;
    write(leftOut);
  }
}

export function cutForeign(text: string | undefined): string | undefined {
  if (text === undefined || text.length <= MAX_FOREIGN_CHARS) return text;
  return `${text.slice(0, MAX_FOREIGN_CHARS).toWellFormed()}… (${text.length} characters)`;
}
