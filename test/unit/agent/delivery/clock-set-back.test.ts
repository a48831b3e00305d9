import { describe, expect, it } from 'vitest';
import type { Slot, SlotEvent } from '../../../../local-agent/delivery/policy.ts';
import { admission, EMPTY_SLOT, nextSlot } from '../../../../local-agent/delivery/policy.ts';
import { DELIVERY } from '../../../../schema/defaults.ts';

const HOUR_MS = 3_600_000;
const NOW = 1_800_000_000_000;
const SWEEP: SlotEvent = { type: 'swept', all: false };

function sent(slot: Slot, plan_id: string, at: number): Slot {
  return nextSlot(slot, { type: 'started', plan_id, timeout_ms: 30_000, chance: 0 }, at);
}

function failed(slot: Slot, plan_id: string, at: number): Slot {
  const end = { counts_as: 'failure', reason: 'refused', retry_after_ms: null, chance: 0 } as const;
  return nextSlot(slot, { type: 'ended', plan_id, ...end }, at);
}

/** How long the slot stays closed from `now` on; 0 when it is open. */
function closedMs(slot: Slot, now: number): number {
  const admitted = admission(slot, now);
  return admitted.admitted ? 0 : (admitted.until ?? Number.POSITIVE_INFINITY) - now;
}

describe('a slot on a node whose clock is set back by an hour', () => {
  it.each([
    ['spacing', sent(EMPTY_SLOT, 'p', NOW), DELIVERY.min_spacing_ms],
    ['backoff', failed(sent(EMPTY_SLOT, 'p', NOW), 'p', NOW), undefined],
  ])('waits as long as before for its %s, and then opens', (_what, slot, expected) => {
    const before = closedMs(slot, NOW);
    expect(before).toBe(expected ?? before);
    const later = nextSlot(slot, SWEEP, NOW - HOUR_MS);
    expect(closedMs(later, NOW - HOUR_MS)).toBe(before);
    expect(closedMs(later, NOW - HOUR_MS + before)).toBe(0);
  });

  it('counts the starts of the last minutes still, and forgets them after the same time', () => {
    let slot = EMPTY_SLOT;
    for (let n = 0; n < DELIVERY.rate_max; n += 1) {
      slot = sent(slot, `p${n}`, NOW);
      slot = nextSlot(
        slot,
        { type: 'ended', plan_id: `p${n}`, counts_as: 'success', reason: 'sent', retry_after_ms: null, chance: 0 },
        NOW,
      );
    }
    const later = nextSlot(slot, SWEEP, NOW - HOUR_MS);
    const opensAt = NOW - HOUR_MS + DELIVERY.rate_window_ms;
    expect([closedMs(later, opensAt - 1), closedMs(later, opensAt)]).toEqual([1, 0]);
  });

  it('gives up a delivery in flight after the same time', () => {
    const slot = nextSlot(sent(EMPTY_SLOT, 'p', NOW), SWEEP, NOW - HOUR_MS);
    const ends = NOW - HOUR_MS + 30_000 + DELIVERY.stale_lease_ms;
    expect(nextSlot(slot, SWEEP, ends - 1).in_flight).toHaveLength(1);
    expect(nextSlot(slot, SWEEP, ends).in_flight).toEqual([]);
  });

  it('does not change while the clock runs on', () => {
    const slot = sent(EMPTY_SLOT, 'p', NOW);
    expect(nextSlot(slot, SWEEP, NOW + 1)).toBe(slot);
  });
});
