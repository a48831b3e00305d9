/**
 * The hours in which the edge sends no notices to people, and what waits for a person at any node, for the notifications of
 * this node's browsers. Both are read when the channel opens, and each minute while a browser is connected. A failed read
 * keeps what is known.
 */
import type { Logger } from 'pino';
import type { NoticeHours, WaitingNotice } from '../../schema/contracts/notices.ts';
import { NoticeHoursSchema } from '../../schema/contracts/notices.ts';
import { NOTICE_HOURS_INTERVAL_MS, PERSON_NOTICE } from '../../schema/defaults.ts';
import type { EdgeClient } from '../edge/http-client.ts';
import type { Clock } from '../lib/clock.ts';
import { Emitter } from '../lib/emitter.ts';

export interface NoticeHoursDeps {
  edge: Pick<EdgeClient, 'call'>;
  clock: Clock;
  /** Whether a browser is connected: nothing is shown without one. */
  isWatched: () => boolean;
  log: Pick<Logger, 'warn'>;
}

export class NoticeHoursReader {
  readonly changed = new Emitter<void>();
  readonly #deps: NoticeHoursDeps;
  #known: Omit<NoticeHours, 'waiting'> | null = null;
  #waiting: WaitingNotice[] | null = null;
  /** The term after which no node leads, and since when this node knows that. */
  #gap: { term: string; since: number } | null = null;
  #isStopped = false;
  #cancelNext: () => void = () => undefined;

  constructor(deps: NoticeHoursDeps) {
    this.#deps = deps;
  }

  /** Null until they were read. */
  get known(): Omit<NoticeHours, 'waiting'> | null {
    return this.#known;
  }

  /** What waits. Null until it was read. */
  get waiting(): WaitingNotice[] | null {
    return this.#waiting;
  }

  async refresh(): Promise<void> {
    const { edge, clock, log } = this.#deps;
    this.#readLater();
    try {
      const { waiting = [], ...hours } = await edge.call({
        method: 'GET',
        path: '/v1/notices/hours',
        schema: NoticeHoursSchema,
      });
      if (this.#isStopped) return;
      this.#known = hours;
      this.#waiting = this.#news(waiting, clock.monotonic());
      this.changed.emit();
    } catch (error) {
      log.warn({ err: error }, 'the hours without notices could not be read; they are read again within a minute');
    }
  }

  #readLater(): void {
    const { clock, isWatched } = this.#deps;
    this.#cancelNext();
    this.#cancelNext = clock.after(NOTICE_HOURS_INTERVAL_MS, () => {
      if (isWatched()) void this.refresh();
      else this.#readLater();
    });
  }

  /** A gap without a leader is news once it has lasted as long as for the other ways of notices. */
  #news(waiting: WaitingNotice[], now: number): WaitingNotice[] {
    const gap = waiting.find(({ cause }) => cause === 'no_leader');
    if (gap === undefined) this.#gap = null;
    else if (this.#gap?.term !== gap.part) this.#gap = { term: gap.part, since: now };
    const isNews = this.#gap !== null && now - this.#gap.since >= PERSON_NOTICE.no_leader_ms;
    return waiting.filter((one) => one !== gap || isNews);
  }

  stop(): void {
    this.#isStopped = true;
    this.#cancelNext();
  }
}
