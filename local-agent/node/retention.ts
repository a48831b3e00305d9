/**
 * Keeps the agent's file from growing without bound: deletes old commands, refused rows and finished messages, at the start
 * and daily. Messages are deleted in batches with pauses, so that many of them do not block the event loop.
 */
import { AGENT_KEEPS } from '../../schema/defaults.ts';
import type { Clock } from '../lib/clock.ts';
import type { Store } from '../store/store.ts';

const BATCH = 200;
const PAUSE_MS = 1_000;

type RetentionStore = Pick<Store, 'outbox' | 'seenCommands' | 'finishedMessages' | 'transaction'>;

export class Retention {
  readonly #store: RetentionStore;
  readonly #clock: Clock;
  #cancel: () => void = () => undefined;
  #cancelBatch: () => void = () => undefined;

  constructor(store: RetentionStore, clock: Clock) {
    this.#store = store;
    this.#clock = clock;
  }

  start(): void {
    this.#cancel = this.#clock.after(AGENT_KEEPS.look_interval_ms, () => this.start());
    this.#store.transaction(() => {
      this.#store.seenCommands.forgetBefore(this.#clock.now() - AGENT_KEEPS.commands_ms);
      this.#store.outbox.trimRefused(AGENT_KEEPS.refused_rows);
    });
    this.#deleteMessages();
  }

  stop(): void {
    this.#cancel();
    this.#cancelBatch();
  }

  #deleteMessages(): void {
    const before = this.#clock.now() - AGENT_KEEPS.messages_ms;
    const deleted = this.#store.transaction(() => this.#store.finishedMessages.deleteBefore(before, BATCH));
    if (deleted === BATCH) this.#cancelBatch = this.#clock.after(PAUSE_MS, () => this.#deleteMessages());
  }
}
