import fc from 'fast-check';
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
  renewalHold,
  resetCounters,
  trippedBreaker,
} from '../../../schema/domain/renewal-limits.ts';

const ZERO: RenewalCounters = {
  renewals_in_row: 0,
  renewals_without_effect: 0,
  repeated_renewals: 0,
  renewed_text_hash: null,
  renewals_day: null,
  renewals_that_day: 0,
  cooldown_until: null,
  cooldown_reason: null,
};
const NOON = Date.parse('2026-11-21T12:00:00Z');
const settings = (more: Partial<RenewalSettings> = {}) => effectiveSettings([more]);
const hold = (more: Partial<RenewalSettings>, counters: Partial<RenewalCounters> = {}, now = NOON) =>
  renewalHold({ ...ZERO, ...counters }, settings(more), now);

describe('settings', () => {
  it('are taken from the innermost scope that says something, and null lifts a limit', () => {
    const merged = effectiveSettings([{ max_per_day: 5, cooldown_ms: 7 }, null, { max_per_day: null }]);
    expect(merged).toEqual({ ...RENEWAL_SETTINGS, max_per_day: null, cooldown_ms: 7 });
  });

  it('have defaults that the contract takes', () => {
    expect(RenewalSettingsSchema.parse(RENEWAL_SETTINGS)).toEqual(RENEWAL_SETTINGS);
  });

  it.each([
    { time_zone: 'Mars/Olympus' },
    { quiet_hours: { from: '25:00', to: '07:00' } },
    { quiet_hours: { from: '07:00', to: '07:00' } },
    { max_in_a_row: 0 },
    { cooldown_ms: -1 },
  ])('%j is refused', (bad) => {
    expect(RenewalSettingsSchema.partial().safeParse(bad).success).toBe(false);
  });
});

describe('a renewal is held back', () => {
  it('by nothing that has not been set', () => {
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

  it('by the budget of its own day until that day ends', () => {
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

  it('until a time that is ahead, at which the reason is over, in whatever zone and on whatever day', () => {
    const zones = ['UTC', 'Europe/Berlin', 'America/New_York', 'Australia/Lord_Howe', 'Asia/Kathmandu'];
    const minutes = fc.integer({ min: 0, max: 1_439 });
    const clock = (at: number) => `${String(Math.floor(at / 60)).padStart(2, '0')}:${String(at % 60).padStart(2, '0')}`;
    fc.assert(
      fc.property(
        fc.integer({ min: Date.parse('2026-01-01'), max: Date.parse('2027-01-01') }),
        fc.constantFrom(...zones),
        minutes,
        minutes,
        (now, time_zone, from, to) => {
          fc.pre(from !== to);
          const quiet = { time_zone, quiet_hours: { from: clock(from), to: clock(to) } };
          let at = now;
          // A change of summer time may bring the same hour twice: no more than one look again.
          for (let looks = 0; ; looks += 1) {
            const found = hold(quiet, {}, at);
            if (found === null) return;
            expect(looks).toBeLessThan(3);
            expect(found.until).toBeGreaterThan(at);
            expect((found.until ?? 0) - now).toBeLessThan(26 * 3_600_000);
            at = found.until ?? at;
          }
        },
      ),
    );
  });
});

describe('the next time of day', () => {
  it.each([
    ['in spring, one that is left out', '2026-03-29T00:30:00Z', '02:30', '2026-03-29T01:30:00Z'],
    ['across the change in autumn', '2026-10-24T12:00:00Z', '07:00', '2026-10-25T06:00:00Z'],
    ['that is now, tomorrow', '2026-11-21T06:00:00Z', '07:00', '2026-11-22T06:00:00Z'],
  ])('%s', (_name, now, time, expected) => {
    const at = nextLocal(Date.parse(now), 'Europe/Berlin', minutesOf(time));
    expect(new Date(at).toISOString()).toBe(new Date(expected).toISOString());
  });

  it('knows the day by the wall', () => {
    expect(localTime(Date.parse('2026-11-21T23:30:00Z'), 'Europe/Berlin')).toEqual({ day: '2026-11-22', minutes: 30 });
  });
});

describe('counting', () => {
  it('starts the day anew at its midnight, and cools down after each', () => {
    const cool = settings({ cooldown_ms: 1_000 });
    const twice = countRenewal(countRenewal(ZERO, 'a', cool, NOON), 'b', cool, NOON + 1);
    expect(twice).toMatchObject({ renewals_that_day: 2, repeated_renewals: 1, renewals_in_row: 2 });
    expect(twice.cooldown_until).toBe(NOON + 1_001);
    expect(countRenewal(twice, 'b', cool, NOON + 86_400_000)).toMatchObject({
      renewals_that_day: 1,
      repeated_renewals: 2,
    });
  });

  it('never shortens the time that a platform asked for', () => {
    const far = limitedUntil(ZERO, NOON + 10);
    expect(limitedUntil(far, NOON + 5)).toBe(far);
    expect(far.cooldown_reason).toBe('rate_limited');
  });

  it('trips a breaker after so many without effect, or of the same text, and a person frees it', () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom('a', 'b')), (texts) => {
        const state = texts.reduce<RenewalCounters>((so, text) => countRenewal(so, text, settings(), NOON), ZERO);
        const run = texts.length - 1 - texts.findLastIndex((text) => text !== texts.at(-1));
        const repeated = texts.at(-1) === 'a' && run >= 3;
        const expected = repeated ? 'repeated_renewal' : texts.length >= 5 ? 'no_progress' : null;
        expect(trippedBreaker(state, settings(), 'a')).toBe(expected);
        expect(trippedBreaker(resetCounters(state), settings(), 'a')).toBeNull();
      }),
    );
  });
});
