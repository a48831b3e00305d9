/**
 * Numbers of an edge that an operator sets: variables of the Worker in wrangler.toml, and settings of `npm start`, which
 * passes them to the local edge.
 */
import { INSTRUCTION, TEXTS_KEPT, TIMED_JOBS } from '../defaults.ts';
import { TEXTS_KEPT_DAYS } from './keeping.ts';

interface EdgeSetting {
  /** The Worker's variable. */
  env: `BAA_${string}`;
  about: string;
  min: number;
  /** The only values, where not every number is one. */
  choices?: readonly number[];
  fallback: number;
}

/** By the name of the setting: `timedJobsIntervalMs` is `--timed-jobs-interval-ms`. */
export const EDGE_SETTINGS = {
  timedJobsIntervalMs: {
    env: 'BAA_TIMED_JOBS_INTERVAL_MS',
    about: 'edge of npm start: pause between two ticks while jobs are due',
    min: 0,
    fallback: TIMED_JOBS.interval_ms,
  },
  timedJobsSettleDelayMs: {
    env: 'BAA_TIMED_JOBS_SETTLE_DELAY_MS',
    about: 'edge of npm start: how long a conversation must be quiet before it is renewed',
    min: 0,
    fallback: TIMED_JOBS.settle_delay_ms,
  },
  timedJobsMaxMessagesPerTick: {
    env: 'BAA_TIMED_JOBS_MAX_MESSAGES_PER_TICK',
    about: 'edge of npm start: messages read by one tick',
    min: 1,
    fallback: TIMED_JOBS.max_messages_per_tick,
  },
  timedJobsMaxTasksPerTick: {
    env: 'BAA_TIMED_JOBS_MAX_TASKS_PER_TICK',
    about: 'edge of npm start: jobs dispatched by one tick',
    min: 1,
    fallback: TIMED_JOBS.max_jobs_per_tick,
  },
  instructionMaxAgeMs: {
    env: 'BAA_INSTRUCTION_MAX_AGE_MS',
    about: 'edge of npm start: an instruction older than this is not executed',
    min: 0,
    fallback: INSTRUCTION.max_age_ms,
  },
  textsKeptDays: {
    env: 'BAA_TEXTS_KEPT_DAYS',
    about: 'edge of npm start: days for which texts are kept: 7, 30, 90 or 365; 0 keeps them',
    min: 0,
    choices: [0, ...TEXTS_KEPT_DAYS],
    fallback: TEXTS_KEPT,
  },
} as const satisfies Record<string, EdgeSetting>;

export type EdgeSettingKey = keyof typeof EDGE_SETTINGS;
export const EDGE_SETTING_KEYS = Object.keys(EDGE_SETTINGS) as EdgeSettingKey[];

/** Whether a number is a value of that setting, as far as it has choices. */
export const isChoice =
  (key: EdgeSettingKey) =>
  (value: number): boolean => {
    const { choices }: EdgeSetting = EDGE_SETTINGS[key];
    return choices === undefined || choices.includes(value);
  };
