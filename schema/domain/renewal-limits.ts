/**
 * What a person allows: limits that hold a renewal back until a time or until the person acts, and breakers that pause a
 * conversation that makes no progress. Counting happens where the counted event is stored. A delivered renewal counts up. A
 * message whose instructions have ended breaks the row of renewals, and one that succeeded is an effect. A person's message
 * breaks the row. A person who sets the automation resets all counters.
 */
import type { PauseReason } from '../contracts/conversations.ts';
import type {
  COOLDOWN_REASONS,
  HoldReason,
  RenewalSettings,
  RenewalSettingsPatch,
} from '../contracts/renewal-settings.ts';
import { RENEWAL_SETTINGS } from '../defaults.ts';
import { localTime, nextLocal, quietUntil } from './local-time.ts';

export interface RenewalCounters {
  renewals_in_row: number;
  renewals_without_effect: number;
  /** Renewals of messages with the same text as the last one, including that one. */
  repeated_renewals: number;
  renewed_text_hash: string | null;
  renewals_day: string | null;
  renewals_that_day: number;
  cooldown_until: number | null;
  cooldown_reason: (typeof COOLDOWN_REASONS)[number] | null;
}

export const NEW_COUNTERS: RenewalCounters = {
  renewals_in_row: 0,
  renewals_without_effect: 0,
  repeated_renewals: 0,
  renewed_text_hash: null,
  renewals_day: null,
  renewals_that_day: 0,
  cooldown_until: null,
  cooldown_reason: null,
};

/** The settings that apply: each layer over the one before, all over the defaults. */
export function effectiveSettings(layers: readonly (RenewalSettingsPatch | null)[]): RenewalSettings {
  return Object.assign({}, RENEWAL_SETTINGS, ...layers.filter((layer) => layer !== null)) as RenewalSettings;
}

export interface Hold {
  reason: HoldReason;
  /** Unix milliseconds; null when only a person or another message ends the hold. */
  until: number | null;
}

/** Why no renewal may be sent into the conversation now, or null. */
export function renewalHold(counters: RenewalCounters, settings: RenewalSettings, now: number): Hold | null {
  const { cooldown_until, cooldown_reason } = counters;
  const { end_at, max_in_a_row, max_per_day, time_zone } = settings;
  if (end_at !== null && now >= end_at) return { reason: 'end_date', until: null };
  if (max_in_a_row !== null && counters.renewals_in_row >= max_in_a_row) return { reason: 'max_in_a_row', until: null };
  if (cooldown_until !== null && cooldown_until > now)
    return { reason: cooldown_reason ?? 'cooldown', until: cooldown_until };
  if (max_per_day !== null && renewalsToday(counters, settings, now) >= max_per_day)
    return { reason: 'daily_budget', until: nextLocal(now, time_zone, 0) };
  const quiet = quietUntil(settings, now);
  return quiet === null ? null : { reason: 'quiet_hours', until: quiet };
}

/** Renewals delivered on the current day of that time zone. */
export function renewalsToday(counters: RenewalCounters, { time_zone }: RenewalSettings, now: number): number {
  return counters.renewals_day === localTime(now, time_zone).day ? counters.renewals_that_day : 0;
}

/** Why the conversation has to be paused instead of renewed again, or null. */
export function trippedBreaker(
  counters: RenewalCounters,
  settings: RenewalSettings,
  textHash: string | null,
): Extract<PauseReason, 'no_progress' | 'repeated_renewal'> | null {
  const { max_without_effect, max_repeats } = settings;
  const repeated = textHash !== null && textHash === counters.renewed_text_hash;
  if (max_repeats !== null && repeated && counters.repeated_renewals >= max_repeats) return 'repeated_renewal';
  if (max_without_effect !== null && counters.renewals_without_effect >= max_without_effect) return 'no_progress';
  return null;
}

/** A renewal of a message with that text was delivered. */
export function countRenewal<S extends RenewalCounters>(
  state: S,
  textHash: string | null,
  settings: RenewalSettings,
  now: number,
): S {
  const repeated = textHash !== null && textHash === state.renewed_text_hash;
  const cools = settings.cooldown_ms > 0;
  return {
    ...state,
    renewals_in_row: state.renewals_in_row + 1,
    renewals_without_effect: state.renewals_without_effect + 1,
    repeated_renewals: repeated ? state.repeated_renewals + 1 : 1,
    renewed_text_hash: textHash,
    renewals_day: localTime(now, settings.time_zone).day,
    renewals_that_day: renewalsToday(state, settings, now) + 1,
    cooldown_until: cools ? now + settings.cooldown_ms : null,
    cooldown_reason: cools ? 'cooldown' : null,
  };
}

/** The platform accepts no messages before `until`. */
export function limitedUntil<S extends RenewalCounters>(state: S, until: number): S {
  if (state.cooldown_until !== null && state.cooldown_until >= until) return state;
  return { ...state, cooldown_until: until, cooldown_reason: 'rate_limited' };
}

/** A message's instructions have ended: that breaks the row, and a success is an effect. */
export function countEffect<S extends RenewalCounters>(state: S, outcome: 'executed' | 'failed'): S {
  const renewals_without_effect = outcome === 'executed' ? 0 : state.renewals_without_effect;
  return breakRow(
    renewals_without_effect === state.renewals_without_effect ? state : { ...state, renewals_without_effect },
  );
}

/** A message that is no renewal arrived in the conversation. */
export function breakRow<S extends RenewalCounters>(state: S): S {
  return state.renewals_in_row === 0 ? state : { ...state, renewals_in_row: 0 };
}

/** A person has set the automation. The day's budget and the platform's limit do not change. */
export function resetCounters<S extends RenewalCounters>(state: S): S {
  if (state.renewals_in_row === 0 && state.renewals_without_effect === 0 && state.repeated_renewals === 0) return state;
  return {
    ...state,
    renewals_in_row: 0,
    renewals_without_effect: 0,
    repeated_renewals: 0,
    renewed_text_hash: null,
  };
}
