/**
 * The tick lock and the next due time. The rules are schema/domain/tick.ts; this object stores them and keeps the alarm.
 * The alarm asks the Worker for a tick, catches everything, and arms itself again as its last act: after a tick that
 * found the lock taken, or threw, it rings again soon. Nothing due means no alarm; cron is there every minute, and
 * what it finds arms a lost alarm anew.
 */
import { DurableObject } from 'cloudflare:workers';
import { z } from 'zod';
import { TimestampSchema } from '../../schema/contracts/common.ts';
import type { TimedJobsApi } from '../../schema/contracts/objects.ts';
import type { TickTrigger } from '../../schema/contracts/ticks.ts';
import { TIMED_JOBS } from '../../schema/defaults.ts';
import type { AlarmOutcome, TickGrant, TimedJobsState } from '../../schema/domain/tick.ts';
import { afterAlarm, becomeDue, beginTick, FRESH_TIMED_JOBS, finishTick, nextAlarm } from '../../schema/domain/tick.ts';
import { newId } from '../../schema/ids.ts';
import { edgeBackend } from '../backend.ts';
import type { ObjectsEnv } from '../env.ts';
import { createCells, PersistedValue } from '../shared/cell.ts';
import { logProblem } from '../shared/log.ts';
import type { Migration } from '../shared/migrate.ts';
import { migrate } from '../shared/migrate.ts';

const MIGRATIONS: readonly Migration[] = [createCells];

const StoredStateSchema: z.ZodType<TimedJobsState> = z.object({
  lock: z
    .object({ batch_id: z.string(), deadline_at: TimestampSchema, due_meanwhile: TimestampSchema.nullable() })
    .nullable(),
  next_due_at: TimestampSchema.nullable(),
  crons_seen: z.array(TimestampSchema),
  failures: z.number().int().nonnegative(),
});

export class TimedJobs extends DurableObject<ObjectsEnv> implements TimedJobsApi {
  readonly #state: PersistedValue<TimedJobsState>;

  constructor(ctx: DurableObjectState, env: ObjectsEnv) {
    super(ctx, env);
    migrate(ctx.storage, MIGRATIONS);
    this.#state = new PersistedValue(ctx.storage.sql, 'timed_jobs', StoredStateSchema, FRESH_TIMED_JOBS);
  }

  async begin(trigger: TickTrigger, scheduledTime: number | null): Promise<TickGrant> {
    const now = Date.now();
    const { next, grant } = beginTick(
      this.#state.get(),
      { trigger, scheduled_time: scheduledTime, batch_id: newId('tick', now), lock_ms: TIMED_JOBS.lock_ms },
      now,
    );
    this.#state.set(next);
    return grant;
  }

  async finish(batchId: string, nextDueAt: number | null): Promise<void> {
    const { next, owned } = finishTick(this.#state.get(), batchId, nextDueAt);
    const changed = next !== this.#state.get();
    this.#state.set(next);
    if (owned || changed) await this.#arm(nextAlarm(next, Date.now()));
  }

  async due(at: number): Promise<void> {
    const next = becomeDue(this.#state.get(), TimestampSchema.parse(at));
    if (next === this.#state.get()) return;
    this.#state.set(next);
    await this.#arm(nextAlarm(next, Date.now()));
  }

  async read(): Promise<{ locked_until: number | null; next_due_at: number | null }> {
    const { lock, next_due_at } = this.#state.get();
    const locked = lock !== null && Date.now() < lock.deadline_at;
    return { locked_until: locked ? lock.deadline_at : null, next_due_at };
  }

  override async alarm(): Promise<void> {
    const outcome = await this.#askForTick();
    const { next, alarmAt } = afterAlarm(this.#state.get(), outcome, Date.now());
    this.#state.set(next);
    await this.#arm(alarmAt);
  }

  async #askForTick(): Promise<AlarmOutcome> {
    try {
      const { decision } = await edgeBackend(this.ctx).tick('alarm');
      if (decision === 'failed') return 'failed';
      return decision === 'skipped_busy' ? 'busy' : 'done';
    } catch (error) {
      logProblem('tick.alarm', error);
      return 'failed';
    }
  }

  async #arm(at: number | null): Promise<void> {
    if (at === null) await this.ctx.storage.deleteAlarm();
    else await this.ctx.storage.setAlarm(at);
  }
}
