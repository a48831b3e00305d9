import { describe, expect, it } from 'vitest';
import type { RenewalSettings } from '../../../schema/contracts/renewal-settings.ts';
import { RenewalSettingsSchema } from '../../../schema/contracts/renewal-settings.ts';
import { RENEWAL_SETTINGS } from '../../../schema/defaults.ts';
import { localTime, minutesOf, nextLocal } from '../../../schema/domain/local-time.ts';
import type { RenewalCounters } from '../../../schema/domain/renewal-limits.ts';
import {
  countRenewal,
  effectiveSettings,
  limitedUntil,
  NEW_COUNTERS,
  renewalHold,
} from '../../../schema/domain/renewal-limits.ts';

const NOON = Date.parse('2026-11-21T12:00:00Z');
const settings = (more: Partial<RenewalSettings> = {}) => effectiveSettings([more]);
const hold = (more: Partial<RenewalSettings>, counters: Partial<RenewalCounters> = {}, now = NOON) =>
  renewalHold({ ...NEW_COUNTERS, ...counters }, settings(more), now);

describe('the settings of renewal', () => {
  it('come from the innermost scope that has them, and null removes a limit', () => {
    const merged = effectiveSettings([{ max_per_day: 5, cooldown_ms: 7 }, null, { max_per_day: null }]);
    expect(merged).toEqual({ ...RENEWAL_SETTINGS, max_per_day: null, cooldown_ms: 7 });
  });

  it('have defaults that the contract accepts', () => {
    expect(RenewalSettingsSchema.parse(RENEWAL_SETTINGS)).toEqual(RENEWAL_SETTINGS);
  });

  it.each([
    { time_zone: 'Mars/Olympus' },
    { quiet_hours: { from: '25:00', to: '07:00' } },
    { quiet_hours: { from: '07:00', to: '07:00' } },
    { max_in_a_row: 0 },
    { cooldown_ms: -1 },
  ])('cannot be %j', (bad) => {
    expect(RenewalSettingsSchema.partial().safeParse(bad).success).toBe(false);
  });
});

describe('a renewal is held back', () => {
  it('by no limit that is not set', () => {
    expect(hold({})).toBeNull();
  });

  it('in quiet hours until their end, also over midnight', () => {
    const night = { quiet_hours: { from: '22:00', to: '07:00' }, time_zone: 'Europe/Berlin' };
    expect(hold(night)).toBeNull();
    const seven = Date.parse('2026-11-22T06:00:00Z');
    expect(hold(night, {}, Date.parse('2026-11-21T21:00:00Z'))).toEqual({ reason: 'quiet_hours', until: seven });
    expect(hold(night, {}, seven - 1)).toEqual({ reason: 'quiet_hours', until: seven });
    expect(hold(night, {}, seven)).toBeNull();
  });

  it('by the budget of its local day until that day ends', () => {
    const today = { renewals_day: '2026-11-21', renewals_that_day: 3 };
    const zone = { max_per_day: 3, time_zone: 'Asia/Tokyo' };
    expect(hold(zone, today)).toEqual({ reason: 'daily_budget', until: Date.parse('2026-11-21T15:00:00Z') });
    expect(hold(zone, today, Date.parse('2026-11-21T15:00:00Z'))).toBeNull();
  });

  it.each([
    ['end_date', { end_at: NOON }, {}, null],
    ['max_in_a_row', { max_in_a_row: 4 }, { renewals_in_row: 4 }, null],
    ['cooldown', {}, { cooldown_until: NOON + 1, cooldown_reason: 'cooldown' }, NOON + 1],
    ['rate_limited', {}, { cooldown_until: NOON + 1, cooldown_reason: 'rate_limited' }, NOON + 1],
  ] as const)('by %s', (reason, more, counters, until) => {
    expect(hold(more, counters)).toEqual({ reason, until });
  });
});

describe('the next occurrence of a local time', () => {
  it.each([
    [
      'that a change to summer time skips comes after the skipped hour',
      '2026-03-29T00:30:00Z',
      '02:30',
      '2026-03-29T01:30:00Z',
    ],
    ['after a change to winter time is one hour later in UTC', '2026-10-24T12:00:00Z', '07:00', '2026-10-25T06:00:00Z'],
    ['that is now comes tomorrow', '2026-11-21T06:00:00Z', '07:00', '2026-11-22T06:00:00Z'],
  ])('%s', (_name, now, time, expected) => {
    const at = nextLocal(Date.parse(now), 'Europe/Berlin', minutesOf(time));
    expect(new Date(at).toISOString()).toBe(new Date(expected).toISOString());
  });

  it('belongs to the local day', () => {
    expect(localTime(Date.parse('2026-11-21T23:30:00Z'), 'Europe/Berlin')).toEqual({ day: '2026-11-22', minutes: 30 });
  });
});

describe('a delivered renewal', () => {
  it('counts for its local day, and starts a cooldown', () => {
    const cool = settings({ cooldown_ms: 1_000 });
    const twice = countRenewal(countRenewal(NEW_COUNTERS, 'a', cool, NOON), 'b', cool, NOON + 1);
    expect(twice).toMatchObject({ renewals_that_day: 2, repeated_renewals: 1, renewals_in_row: 2 });
    expect(twice.cooldown_until).toBe(NOON + 1_001);
    expect(countRenewal(twice, 'b', cool, NOON + 86_400_000)).toMatchObject({
      renewals_that_day: 1,
      repeated_renewals: 2,
    });
  });

  it('never shortens the pause that a platform asked for', () => {
    const far = limitedUntil(NEW_COUNTERS, NOON + 10);
    expect(limitedUntil(far, NOON + 5)).toBe(far);
    expect(far.cooldown_reason).toBe('rate_limited');
  });
});
