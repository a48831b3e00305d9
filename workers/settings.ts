/** Numbers that an operator may set in `wrangler.toml`. */
import { z } from 'zod';
import { INSTRUCTION, TIMED_JOBS } from '../schema/defaults.ts';

const number = (fallback: number, min: number) => z.coerce.number().int().min(min).catch(fallback);

const SettingsSchema = z
  .object({
    BAA_TIMED_JOBS_INTERVAL_MS: number(TIMED_JOBS.interval_ms, 0),
    BAA_TIMED_JOBS_SETTLE_DELAY_MS: number(TIMED_JOBS.settle_delay_ms, 0),
    BAA_TIMED_JOBS_MAX_MESSAGES_PER_TICK: number(TIMED_JOBS.max_messages_per_tick, 1),
    BAA_TIMED_JOBS_MAX_TASKS_PER_TICK: number(TIMED_JOBS.max_jobs_per_tick, 1),
    BAA_INSTRUCTION_MAX_AGE_MS: number(INSTRUCTION.max_age_ms, 0),
  })
  .transform((env) => ({
    interval_ms: env.BAA_TIMED_JOBS_INTERVAL_MS,
    settle_delay_ms: env.BAA_TIMED_JOBS_SETTLE_DELAY_MS,
    max_messages_per_tick: env.BAA_TIMED_JOBS_MAX_MESSAGES_PER_TICK,
    max_jobs_per_tick: env.BAA_TIMED_JOBS_MAX_TASKS_PER_TICK,
    instruction_max_age_ms: env.BAA_INSTRUCTION_MAX_AGE_MS,
  }));
export type Settings = z.output<typeof SettingsSchema>;

/** The settings of this environment; an unset or unreadable one has its documented default. */
export function settings(env: Partial<Env>): Settings {
  return SettingsSchema.parse(env);
}
