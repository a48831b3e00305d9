/** What an operator may set in `wrangler.toml`. */
import { z } from 'zod';
import type { EdgeSettingKey } from '../schema/contracts/edge-settings.ts';
import { EDGE_SETTINGS, isChoice } from '../schema/contracts/edge-settings.ts';
import type { TextsKept } from '../schema/contracts/keeping.ts';
import { TEXTS_KEPT } from '../schema/defaults.ts';
import { keptOf } from '../schema/domain/text-retention.ts';

export interface Settings {
  interval_ms: number;
  settle_delay_ms: number;
  max_messages_per_tick: number;
  max_jobs_per_tick: number;
  instruction_max_age_ms: number;
  texts_kept: TextsKept;
}

/** The settings of this environment; an unset or unreadable one has its documented default. */
export function settings(env: Partial<Env>): Settings {
  const number = (key: EdgeSettingKey): number => {
    const { env: name, min, fallback } = EDGE_SETTINGS[key];
    return z.coerce.number().int().min(min).refine(isChoice(key)).catch(fallback).parse(env[name]);
  };
  return {
    interval_ms: number('timedJobsIntervalMs'),
    settle_delay_ms: number('timedJobsSettleDelayMs'),
    max_messages_per_tick: number('timedJobsMaxMessagesPerTick'),
    max_jobs_per_tick: number('timedJobsMaxTasksPerTick'),
    instruction_max_age_ms: number('instructionMaxAgeMs'),
    texts_kept: keptOf(number('textsKeptDays'), TEXTS_KEPT),
  };
}
