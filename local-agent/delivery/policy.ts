/**
 * How fast and in which order this host sends into a browser: pure decisions over the slot of one browser client and
 * platform. Promises: at most two deliveries in flight per slot and one per conversation; a minimum distance between
 * starts and a rolling rate; backoff after failures; a breaker that opens after five failures in a row and then lets
 * one probe through; replies before renewals. A sign-out, a security challenge or another signed-in account stops the
 * slot until a person resumes it. A slot is kept in SQLite, so a restart goes on at the same pace.
 */
import { z } from 'zod';
import type { StopReason } from '../../schema/contracts/clients.ts';
import { STOP_REASONS } from '../../schema/contracts/clients.ts';
import { DELIVERY } from '../../schema/defaults.ts';

export const BREAKER_STATES = ['closed', 'open', 'half_open'] as const;

export const SlotSchema = z.object({
  breaker: z.enum(BREAKER_STATES),
  /** Failures in a row. */
  failures: z.number().int().nonnegative(),
  open_until: z.number().int().nullable(),
  backoff_until: z.number().int(),
  spaced_until: z.number().int(),
  /** Starts within the rolling window. */
  starts: z.array(z.number().int()),
  in_flight: z.array(z.object({ plan_id: z.string(), lease_until: z.number().int() })),
  last_activity_at: z.number().int().nullable(),
  last_activity_reason: z.string().nullable(),
  stale_sweep_count: z.number().int(),
  last_stale_sweep_at: z.number().int().nullable(),
  stopped: z
    .object({ reason: z.enum(STOP_REASONS), since: z.number().int() })
    .nullable()
    .default(null),
  /** The account that this browser's links were made with, as its hash; null until one was seen. */
  fingerprint: z.string().nullable().default(null),
  /** Whether the page was last seen signed out. */
  login_lost: z.boolean().default(false),
});
export type Slot = z.infer<typeof SlotSchema>;

export const EMPTY_SLOT: Slot = {
  breaker: 'closed',
  failures: 0,
  open_until: null,
  backoff_until: 0,
  spaced_until: 0,
  starts: [],
  in_flight: [],
  last_activity_at: null,
  last_activity_reason: null,
  stale_sweep_count: 0,
  last_stale_sweep_at: null,
  stopped: null,
  fingerprint: null,
  login_lost: false,
};

/** What an ended delivery says of the platform: `neutral` proves nothing, such as a person who was typing. */
export type Verdict = 'success' | 'failure' | 'neutral';

/** `chance` is a random number in [0, 1). */
export type SlotEvent =
  | { type: 'started'; plan_id: string; timeout_ms: number; chance: number }
  | {
      type: 'ended';
      plan_id: string;
      verdict: Verdict;
      reason: string;
      retry_after_ms: number | null;
      chance: number;
      /** What the answer says of the whole client; null or absent: nothing. */
      stops?: StopReason | null;
    }
  /** The browser says who is signed in there. */
  | { type: 'account'; fingerprint: string | null; lost: boolean }
  /** A person lets it deliver again, under whatever account it has now. */
  | { type: 'resumed' }
  /** Takes back places whose lease has passed; after a restart of the agent all of them (`all`). */
  | { type: 'swept'; all: boolean };

/** Milliseconds to wait after the nth failure in a row (n ≥ 1), with jitter. */
export function backoffMs(failures: number, chance: number): number {
  const plain = Math.min(DELIVERY.retry_max_ms, DELIVERY.retry_base_ms * 2 ** Math.min(failures - 1, 20));
  return Math.round(plain * (1 + DELIVERY.retry_jitter * (2 * chance - 1)));
}

function started(slot: Slot, event: Extract<SlotEvent, { type: 'started' }>, now: number): Slot {
  return {
    ...slot,
    // Whoever starts on an open breaker, which admission allows only when its time is over, is the probe.
    breaker: slot.breaker === 'open' ? 'half_open' : slot.breaker,
    open_until: slot.breaker === 'open' ? null : slot.open_until,
    spaced_until: now + DELIVERY.min_spacing_ms + Math.round(DELIVERY.spacing_jitter_ms * event.chance),
    starts: [...slot.starts.filter((at) => at > now - DELIVERY.rate_window_ms), now],
    in_flight: [
      ...slot.in_flight,
      { plan_id: event.plan_id, lease_until: now + event.timeout_ms + DELIVERY.stale_lease_ms },
    ],
    last_activity_at: now,
    last_activity_reason: 'sending',
  };
}

function failed(slot: Slot, retryAfterMs: number | null, chance: number, now: number): Slot {
  const failures = slot.failures + 1;
  const opens = slot.breaker === 'half_open' || (slot.breaker === 'closed' && failures >= DELIVERY.breaker_failures);
  return {
    ...slot,
    failures,
    breaker: opens ? 'open' : slot.breaker,
    open_until: opens ? now + DELIVERY.breaker_open_ms : slot.open_until,
    backoff_until: Math.max(slot.backoff_until, now + Math.max(retryAfterMs ?? 0, backoffMs(failures, chance))),
  };
}

function stop(slot: Slot, reason: StopReason, now: number): Slot {
  if (slot.stopped !== null) return slot;
  return { ...slot, stopped: { reason, since: now }, last_activity_at: now, last_activity_reason: reason };
}

function accountSeen(slot: Slot, event: Extract<SlotEvent, { type: 'account' }>, now: number): Slot {
  const { fingerprint, lost } = event;
  const changed = fingerprint !== null && slot.fingerprint !== null && fingerprint !== slot.fingerprint;
  const known = slot.fingerprint ?? fingerprint;
  const newlyLost = lost && !slot.login_lost;
  const same = known === slot.fingerprint && lost === slot.login_lost;
  const seen = same ? slot : { ...slot, fingerprint: known, login_lost: lost };
  if (changed) return stop(seen, 'account_changed', now);
  return newlyLost ? stop(seen, 'signed_out', now) : seen;
}

/** The person has looked at it: what was counted before says nothing any more. */
function resumed(slot: Slot, now: number): Slot {
  if (slot.stopped === null) return slot;
  return {
    ...slot,
    stopped: null,
    fingerprint: null,
    breaker: 'closed',
    failures: 0,
    open_until: null,
    backoff_until: 0,
    last_activity_at: now,
    last_activity_reason: 'resumed',
  };
}

function ended(before: Slot, event: Extract<SlotEvent, { type: 'ended' }>, now: number): Slot {
  const after = judged(before, event, now);
  return event.stops == null ? after : stop(after, event.stops, now);
}

function judged(before: Slot, event: Extract<SlotEvent, { type: 'ended' }>, now: number): Slot {
  const slot: Slot = {
    ...before,
    in_flight: before.in_flight.filter((place) => place.plan_id !== event.plan_id),
    last_activity_at: now,
    last_activity_reason: event.reason,
  };
  switch (event.verdict) {
    case 'neutral':
      return slot;
    case 'failure':
      return failed(slot, event.retry_after_ms, event.chance, now);
    case 'success':
      // A straggler that was sent before the breaker opened does not close it: that is the probe's to do.
      if (slot.breaker === 'open') return slot;
      return { ...slot, breaker: 'closed', failures: 0, open_until: null, backoff_until: 0 };
  }
}

/** The slot after an event. */
export function nextSlot(slot: Slot, event: SlotEvent, now: number): Slot {
  switch (event.type) {
    case 'started':
      return started(slot, event, now);
    case 'ended':
      return ended(slot, event, now);
    case 'account':
      return accountSeen(slot, event, now);
    case 'resumed':
      return resumed(slot, now);
    case 'swept': {
      const kept = event.all ? [] : slot.in_flight.filter((place) => place.lease_until > now);
      const swept = slot.in_flight.length - kept.length;
      if (swept === 0) return slot;
      return {
        ...slot,
        in_flight: kept,
        stale_sweep_count: slot.stale_sweep_count + swept,
        last_stale_sweep_at: now,
      };
    }
  }
}

/** Whether one more delivery may start now; if not why, and from when on (null: when one in flight has ended). */
export type Admission =
  | { admitted: true }
  /** `stopped`: only a person's resume ends it. */
  | { admitted: false; reason: string; at: number | null; stopped?: true };

export function admission(slot: Slot, now: number): Admission {
  if (slot.stopped !== null) return { ...refused(slot.stopped.reason, null), stopped: true };
  if (slot.in_flight.length >= DELIVERY.per_platform_in_flight) return refused('slots_busy', null);
  if (slot.breaker === 'open' && slot.open_until !== null && slot.open_until > now) {
    return refused('breaker_open', slot.open_until);
  }
  if (slot.breaker !== 'closed' && slot.in_flight.length > 0) return refused('breaker_probing', null);
  if (slot.backoff_until > now) return refused('backoff', slot.backoff_until);
  if (slot.spaced_until > now) return refused('spacing', slot.spaced_until);
  const recent = slot.starts.filter((at) => at > now - DELIVERY.rate_window_ms);
  const oldest = recent[0];
  if (oldest !== undefined && recent.length >= DELIVERY.rate_max) {
    return refused('rate_limit', oldest + DELIVERY.rate_window_ms);
  }
  return { admitted: true };
}

function refused(reason: string, at: number | null): Exclude<Admission, { admitted: true }> {
  return { admitted: false, reason, at };
}
