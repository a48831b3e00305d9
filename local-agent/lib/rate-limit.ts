/** A token bucket: `burst` at once, and `perSec` a second after that. */
export interface RateLimits {
  perSec: number;
  burst: number;
}

const SECOND_MS = 1_000;

export class RateLimiter {
  readonly #limits: RateLimits;
  readonly #monotonic: () => number;
  #left: number;
  #at: number;

  /** `monotonic`: milliseconds that never decrease. */
  constructor(limits: RateLimits, monotonic: () => number) {
    this.#limits = limits;
    this.#monotonic = monotonic;
    this.#left = limits.burst;
    this.#at = monotonic();
  }

  /** Takes a token; false when there is none. */
  take(): boolean {
    this.#refill();
    if (this.#left < 1) return false;
    this.#left -= 1;
    return true;
  }

  /** Milliseconds until there is a token. */
  waitMs(): number {
    this.#refill();
    return Math.max(0, Math.ceil(((1 - this.#left) / this.#limits.perSec) * SECOND_MS));
  }

  #refill(): void {
    const now = this.#monotonic();
    const { perSec, burst } = this.#limits;
    this.#left = Math.min(burst, this.#left + ((now - this.#at) / SECOND_MS) * perSec);
    this.#at = now;
  }
}
