import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { RenewalCounters } from '../../../schema/domain/renewal-limits.ts';
import {
  countRenewal,
  effectiveSettings,
  NEW_COUNTERS,
  renewalHold,
  resetCounters,
  trippedBreaker,
} from '../../../schema/domain/renewal-limits.ts';
import { Coverage } from '../../support/coverage.ts';

const clockTime = (at: number) => `${String(Math.floor(at / 60)).padStart(2, '0')}:${String(at % 60).padStart(2, '0')}`;

it('quiet hours hold a renewal until a later time at which they are over, in any zone and on any day', () => {
  const reached = new Coverage<'held' | 'free'>();
  const zones = ['UTC', 'Europe/Berlin', 'America/New_York', 'Australia/Lord_Howe', 'Asia/Kathmandu'];
  const minutes = fc.integer({ min: 0, max: 1_439 });
  fc.assert(
    fc.property(
      fc.integer({ min: Date.parse('2026-01-01'), max: Date.parse('2027-01-01') }),
      fc.constantFrom(...zones),
      minutes,
      minutes,
      (now, time_zone, from, to) => {
        fc.pre(from !== to);
        const settings = effectiveSettings([{ time_zone, quiet_hours: { from: clockTime(from), to: clockTime(to) } }]);
        let at = now;
        // A change of summer time may bring the same hour twice: then the hold is checked once more.
        for (let checks = 0; ; checks += 1) {
          const hold = renewalHold(NEW_COUNTERS, settings, at);
          reached.reach(hold === null ? 'free' : 'held');
          if (hold === null) return;
          expect(checks).toBeLessThan(3);
          expect(hold.until).toBeGreaterThan(at);
          expect((hold.until ?? 0) - now).toBeLessThan(26 * 3_600_000);
          at = hold.until ?? at;
        }
      },
    ),
  );
  reached.expectEach(['held', 'free'], 10);
});

it('a breaker trips after too many renewals without effect or of one text, and a person resets it', () => {
  const reached = new Coverage<'repeated_renewal' | 'no_progress' | 'none'>();
  const settings = effectiveSettings([]);
  fc.assert(
    fc.property(fc.array(fc.constantFrom('a', 'b'), { size: 'max', maxLength: 8 }), (texts) => {
      const state = texts.reduce<RenewalCounters>(
        (before, text) => countRenewal(before, text, settings, 0),
        NEW_COUNTERS,
      );
      const run = texts.length - 1 - texts.findLastIndex((text) => text !== texts.at(-1));
      const repeated = texts.at(-1) === 'a' && run >= 3;
      const expected = repeated ? 'repeated_renewal' : texts.length >= 5 ? 'no_progress' : null;
      reached.reach(expected ?? 'none');
      expect(trippedBreaker(state, settings, 'a')).toBe(expected);
      expect(trippedBreaker(resetCounters(state), settings, 'a')).toBeNull();
    }),
    { numRuns: 1_000 },
  );
  reached.expectEach(['repeated_renewal', 'no_progress', 'none'], 10);
});
