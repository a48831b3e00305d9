/**
 * The hours in which the edge sends no notices to people, for the notifications of this node's browsers. They are read when
 * the channel opens, and from time to time: a person changes them seldom. A failed read keeps what is known.
 */
import type { Logger } from 'pino';
import type { NoticeHours } from '../../schema/contracts/notices.ts';
import { NoticeHoursSchema } from '../../schema/contracts/notices.ts';
import type { EdgeClient } from '../edge/http-client.ts';
import type { Clock } from '../lib/clock.ts';
import { Emitter } from '../lib/emitter.ts';

const READ_EVERY_MS = 600_000;

export interface NoticeHoursDeps {
  edge: Pick<EdgeClient, 'call'>;
  clock: Clock;
  log: Pick<Logger, 'warn'>;
}

export class NoticeHoursReader {
  readonly changed = new Emitter<void>();
  readonly #deps: NoticeHoursDeps;
  #known: NoticeHours | null = null;
  #isStopped = false;
  #cancelNext: () => void = () => undefined;

  constructor(deps: NoticeHoursDeps) {
    this.#deps = deps;
  }

  /** Null until they were read. */
  get known(): NoticeHours | null {
    return this.#known;
  }

  async refresh(): Promise<void> {
    const { edge, clock, log } = this.#deps;
    this.#cancelNext();
    this.#cancelNext = clock.after(READ_EVERY_MS, () => void this.refresh());
    try {
      const read = await edge.call({ method: 'GET', path: '/v1/notices/hours', schema: NoticeHoursSchema });
      if (this.#isStopped) return;
      this.#known = read;
      this.changed.emit();
    } catch (error) {
      log.warn({ err: error }, 'the hours without notices could not be read; they are read again within ten minutes');
    }
  }

  stop(): void {
    this.#isStopped = true;
    this.#cancelNext();
  }
}
