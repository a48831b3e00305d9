/**
 * What the bodies of one site may cost together. A body that is read as a whole is held until it has ended and is then
 * parsed at once, so neither many at the same time nor one after the other may keep the background page busy.
 */

export const BODY_LIMITS = {
  /** Held at the same time. */
  held_bytes: 96 * 1024 * 1024,
  /** Parsed within a minute: some seconds of work. */
  parsed_bytes: 256 * 1024 * 1024,
  window_ms: 60_000,
} as const;

export class BodyBudget {
  readonly #now: () => number;
  #held = 0;
  #parsed = 0;
  #since = 0;

  constructor(now: () => number) {
    this.#now = now;
  }

  /** Takes these bytes into account; false when they are too many, and then they must not be kept. */
  take(bytes: number): boolean {
    const now = this.#now();
    // A clock that was set back begins a new window as well.
    if (now - this.#since >= BODY_LIMITS.window_ms || now < this.#since) {
      this.#since = now;
      this.#parsed = 0;
    }
    if (this.#held + bytes > BODY_LIMITS.held_bytes || this.#parsed + bytes > BODY_LIMITS.parsed_bytes) return false;
    this.#held += bytes;
    this.#parsed += bytes;
    return true;
  }

  /** These bytes are held no more. */
  release(bytes: number): void {
    this.#held -= bytes;
  }
}
