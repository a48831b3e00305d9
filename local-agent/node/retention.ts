/** Keeps the agent's file from growing without bound: deletes old commands and refused rows, at the start and daily. */
import { AGENT_KEEPS } from '../../schema/defaults.ts';
import type { Clock } from '../lib/clock.ts';
import type { Store } from '../store/store.ts';

export class Retention {
  readonly #store: Pick<Store, 'outbox' | 'seenCommands' | 'transaction'>;
  readonly #clock: Clock;
  #cancel: () => void = () => undefined;

  constructor(store: Pick<Store, 'outbox' | 'seenCommands' | 'transaction'>, clock: Clock) {
    this.#store = store;
    this.#clock = clock;
  }

  start(): void {
    this.#store.transaction(() => {
      this.#store.seenCommands.forgetBefore(this.#clock.now() - AGENT_KEEPS.commands_ms);
      this.#store.outbox.trimRefused(AGENT_KEEPS.refused_rows);
    });
    this.#cancel = this.#clock.after(AGENT_KEEPS.look_interval_ms, () => this.start());
  }

  stop(): void {
    this.#cancel();
  }
}
