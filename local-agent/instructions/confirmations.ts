/**
 * When the edge last named the statuses of each message's instructions. A pause may be acknowledged while this node is out
 * of contact, so an instruction that has waited, for a free lane or for the agent's restart, is asked about again before it
 * starts, unless the channel is alive.
 */
import { CHANNEL } from '../../schema/defaults.ts';
import type { Clock } from '../lib/clock.ts';

export class Confirmations {
  readonly #clock: Pick<Clock, 'now' | 'monotonic'>;
  /** By message: when the response arrived, monotonic milliseconds. */
  readonly #at = new Map<string, number>();

  constructor(clock: Pick<Clock, 'now' | 'monotonic'>) {
    this.#clock = clock;
  }

  /** The edge has responded about that message. `respondedAt`: wall clock; a stored response may be older than now. */
  note(messageId: string, respondedAt: number): void {
    const ageMs = Math.max(0, this.#clock.now() - respondedAt);
    this.#at.set(messageId, this.#clock.monotonic() - ageMs);
  }

  /** Whether the statuses of that message are recent enough to start by. */
  isRecent(messageId: string): boolean {
    const at = this.#at.get(messageId);
    return at !== undefined && this.#clock.monotonic() - at <= CHANNEL.trust_ms;
  }

  forget(messageId: string): void {
    this.#at.delete(messageId);
  }
}
