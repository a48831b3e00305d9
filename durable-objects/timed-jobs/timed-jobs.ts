/**
 * The tick lock and the next due time. The rules are in schema/domain/tick.ts; this object stores them and keeps the alarm.
 *
 * The alarm takes the lock itself and hands the Worker its grant. It catches everything, and sets the next alarm as its
 * last act: soon after a tick that found the lock taken or failed. When nothing is due there is no alarm. Cron ticks every
 * minute, and sets an alarm that was lost again.
 */
import { DurableObject } from 'cloudflare:workers';
import { z } from 'zod';
import { TimestampSchema } from '../../schema/contracts/common.ts';
import type { AlarmTickResult, TimedJobsApi } from '../../schema/contracts/objects.ts';
import type { TickGrant, TickTrigger } from '../../schema/contracts/ticks.ts';
import { TIMED_JOBS } from '../../schema/defaults.ts';
import type { AlarmOutcome, TimedJobsState } from '../../schema/domain/tick.ts';
import { afterAlarm, becomeDue, beginTick, finishTick, NEW_TIMED_JOBS, nextAlarm } from '../../schema/domain/tick.ts';
import { newId } from '../../schema/ids.ts';
import { edgeBackend } from '../backend.ts';
import type { ObjectsEnv } from '../env.ts';
import { logProblem } from '../shared/log.ts';
import { migrate } from '../shared/migrate.ts';
import { CREATE_PERSISTED_VALUES, PersistedValue } from '../shared/persisted-value.ts';

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
    migrate(ctx.storage, [CREATE_PERSISTED_VALUES]);
    this.#state = new PersistedValue(ctx.storage.sql, 'timed_jobs', StoredStateSchema, NEW_TIMED_JOBS);
  }

  async begin(trigger: TickTrigger, scheduledTime: number | null): Promise<TickGrant> {
    return this.#begin(trigger, scheduledTime);
  }

  async finish(batchId: string, nextDueAt: number | null): Promise<void> {
    const { next, owned } = finishTick(this.#state.get(), batchId, nextDueAt);
    const changed = next !== this.#state.get();
    this.#state.set(next);
    if (owned || changed) await this.#setAlarm(nextAlarm(next, Date.now()));
  }

  async due(at: number): Promise<void> {
    const next = becomeDue(this.#state.get(), TimestampSchema.parse(at));
    if (next === this.#state.get()) return;
    this.#state.set(next);
    await this.#setAlarm(nextAlarm(next, Date.now()));
  }

  async read(): Promise<{ locked_until: number | null; next_due_at: number | null }> {
    const { lock, next_due_at } = this.#state.get();
    const isLocked = lock !== null && Date.now() < lock.deadline_at;
    return { locked_until: isLocked ? lock.deadline_at : null, next_due_at };
  }

  override async alarm(): Promise<void> {
    const grant = this.#begin('alarm', null);
    const { decision, next_due_at } = await this.#runTick(grant);
    const before = this.#state.get();
    const finished = grant.status === 'granted' ? finishTick(before, grant.batch_id, next_due_at).next : before;
    const { next, alarmAt } = afterAlarm(finished, outcomeOf(decision), Date.now());
    this.#state.set(next);
    await this.#setAlarm(alarmAt);
  }

  #begin(trigger: TickTrigger, scheduledTime: number | null): TickGrant {
    const now = Date.now();
    const { next, grant } = beginTick(
      this.#state.get(),
      { trigger, scheduled_time: scheduledTime, batch_id: newId('tick', now), lock_ms: TIMED_JOBS.lock_ms },
      now,
    );
    this.#state.set(next);
    return grant;
  }

  /** The Worker's tick under `grant`; a tick that throws has failed. */
  async #runTick(grant: TickGrant): Promise<AlarmTickResult> {
    try {
      return await edgeBackend(this.ctx).alarmTick(grant);
    } catch (error) {
      logProblem('tick.alarm', error);
      return { decision: 'failed', next_due_at: null };
    }
  }

  async #setAlarm(at: number | null): Promise<void> {
    if (at === null) await this.ctx.storage.deleteAlarm();
    else await this.ctx.storage.setAlarm(at);
  }
}

function outcomeOf(decision: AlarmTickResult['decision']): AlarmOutcome {
  if (decision === 'failed') return 'failed';
  return decision === 'skipped_busy' ? 'busy' : 'done';
}
