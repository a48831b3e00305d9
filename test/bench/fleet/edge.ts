/**
 * What the edge does with due renewals, without an edge: it hands out the oldest, a few at a time, takes the results
 * from the outbox, and hands a deferred one out again when the agent said so. It keeps time, nothing else.
 */
import { z } from 'zod';
import type { DeliveryManager } from '../../../local-agent/delivery/manager.ts';
import type { CommandHandlers } from '../../../local-agent/edge/commands.ts';
import { takeCommand } from '../../../local-agent/edge/commands.ts';
import type { Store } from '../../../local-agent/store/store.ts';
import { DeliveryResultSchema } from '../../../schema/contracts/renewal.ts';
import { DELIVERY, RENEWAL, TIMED_JOBS } from '../../../schema/defaults.ts';
import { newId } from '../../../schema/ids.ts';
import type { FastClock } from './fast-clock.ts';

/** A tick's worth of jobs, and how long a tick takes when the next is due at once. */
const PER_TICK = TIMED_JOBS.max_jobs_per_tick;
const TICK_MS = 1_000;

export interface Job {
  id: string;
  clientId: string;
  dueAt: number;
}

interface Waiting extends Job {
  nextAt: number;
}

const RowSchema = z.object({ id: z.number(), path: z.string(), body: z.string() });
const BodySchema = z.object({ result: DeliveryResultSchema });

export class DueJobs {
  /** Results by outcome. */
  readonly outcomes = new Map<string, number>();
  commands = 0;
  readonly #deps: { store: Store; delivery: DeliveryManager; clock: FastClock };
  #waiting: Waiting[];
  readonly #running = new Map<string, Waiting>();

  constructor(deps: { store: Store; delivery: DeliveryManager; clock: FastClock }, jobs: readonly Job[]) {
    this.#deps = deps;
    this.#waiting = jobs.map((job) => ({ ...job, nextAt: job.dueAt }));
  }

  /** Ticks until every job has ended. */
  async run(): Promise<void> {
    while (this.#waiting.length + this.#running.size > 0) {
      this.#takeResults();
      this.#handOut();
      await this.#deps.clock.sleep(TICK_MS);
    }
  }

  /** The oldest first, as many as a tick takes. */
  #handOut(): void {
    const now = this.#deps.clock.now();
    const due = this.#waiting.filter(({ nextAt }) => nextAt <= now).sort((a, b) => a.nextAt - b.nextAt);
    const taken = new Set(due.slice(0, PER_TICK));
    this.#waiting = this.#waiting.filter((job) => !taken.has(job));
    for (const job of taken) this.#command(job);
  }

  #command(job: Waiting): void {
    const { store, delivery, clock } = this.#deps;
    const command_id = newId('command', clock.now());
    const body = {
      job_id: job.id,
      attempt: 1,
      plan_id: `${job.id}.1`,
      platform: 'chatgpt' as const,
      target: {
        client_id: job.clientId,
        conversation_id: job.id,
        page_url: `https://chatgpt.com/c/${job.id}`,
        page_title: null,
        tab_id: 1,
        shell_page: false,
      },
      message_text: 'Please carry on.',
      assistant_message_id: null,
      timeout_ms: RENEWAL.delivery_timeout_ms,
    };
    this.commands += 1;
    this.#running.set(command_id, job);
    // No other commands are taken here.
    const handlers = delivery.commands as CommandHandlers;
    takeCommand(store, handlers, { command_id, expires_in_ms: 30_000, kind: 'delivery', body }, clock.now());
  }

  #takeResults(): void {
    this.#deps.store.transaction(() => this.#readOutbox());
  }

  #readOutbox(): void {
    const { store, clock } = this.#deps;
    const rows = store.db.prepare("SELECT id, path, body FROM outbox WHERE kind = 'command_result'").all();
    for (const found of rows) {
      const { id, path, body } = RowSchema.parse(found);
      const { result } = BodySchema.parse(JSON.parse(body));
      const commandId = path.split('/')[3] ?? '';
      const job = this.#running.get(commandId);
      this.#running.delete(commandId);
      store.db.prepare('DELETE FROM outbox WHERE id = ?').run(id);
      this.outcomes.set(result.outcome, (this.outcomes.get(result.outcome) ?? 0) + 1);
      if (job === undefined || result.outcome !== 'deferred') continue;
      const waitMs = Math.max(result.retry_after_ms ?? TIMED_JOBS.recheck_min_ms, DELIVERY.retry_base_ms);
      this.#waiting.push({ ...job, nextAt: clock.now() + waitMs });
    }
  }
}
