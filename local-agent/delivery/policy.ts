/**
 * How fast this node sends into a browser: pure decisions over a slot, the pacing state of one browser on one platform.
 * Promises: at most two deliveries in flight in a slot and one per conversation; a minimum distance between starts and a
 * sliding-window rate; a backoff after failures; a breaker that opens after five failures in a row and then lets one
 * probe through. A sign-out, a security challenge or another account stops the slot until a person resumes it. Slots are
 * stored, so a restart keeps the pace.
 */
import { z } from 'zod';
import type { StopReason } from '../../schema/contracts/clients.ts';
import { STOP_REASONS } from '../../schema/contracts/clients.ts';
import { DELIVERY } from '../../schema/defaults.ts';
import type { Backoff } from '../../schema/domain/retry.ts';
import { retryDelayMs } from '../../schema/domain/retry.ts';
import type { Account } from '../browsers/clients.ts';

/** Where Firefox opens a tab that is in no container. */
const DEFAULT_CONTAINER = 'firefox-default';
/** Containers of a browser whose account is kept. Some browsers make a new container for each tab. */
const MAX_CONTAINERS = 64;

export const BREAKER_STATES = ['closed', 'open', 'half_open'] as const;

export const SlotSchema = z.object({
  breaker: z.enum(BREAKER_STATES),
  /** Failures in a row. */
  failures: z.number().int().nonnegative(),
  open_until: z.number().int().nullable(),
  backoff_until: z.number().int(),
  spaced_until: z.number().int(),
  /** Starts within the sliding window. */
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
  /** Hash of the account that this browser's links were made with; null until the browser has reported one. */
  fingerprint: z.string().nullable().default(null),
  /** The same for each container of the browser, and for each account in one, where it names them. */
  containers: z.record(z.string(), z.string()).default({}),
  /** Whether the page was signed out in the browser's last report. */
  login_lost: z.boolean().default(false),
  /** What of the site did not look as it is known, at the last delivery that had a tab; null: nothing. */
  last_drift: z.string().nullable().default(null),
  /** Why that delivery passed over tabs; null: it did not. */
  last_skipped: z.string().nullable().default(null),
  /** Tabs that deliveries have opened, or loaded because the browser had unloaded them. */
  restored_count: z.number().int().nonnegative().default(0),
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
  containers: {},
  login_lost: false,
  last_drift: null,
  last_skipped: null,
  restored_count: 0,
};

/** How an ended delivery counts for the breaker. `neutral` says nothing of the platform, such as a person typing. */
export type CountsAs = 'success' | 'failure' | 'neutral';

/** What a delivery found of the tabs of its browser. */
export interface PagesFound {
  /** Selectors and frames that did not look as the extension knows them. */
  drift: readonly string[];
  /** Tabs that it opened or loaded. */
  restored: number;
  /** Why it passed over tabs. */
  skipped: readonly string[];
}

/** `chance` is a random number in [0, 1). */
export type SlotEvent =
  | { type: 'started'; plan_id: string; timeout_ms: number; chance: number }
  | {
      type: 'ended';
      plan_id: string;
      counts_as: CountsAs;
      reason: string;
      retry_after_ms: number | null;
      chance: number;
      /** Why the browser is stopped there; null or absent: it is not. */
      stops?: StopReason | null;
      pages?: PagesFound | null;
    }
  /** The browser reports which accounts are signed in: one for each container. */
  | { type: 'accounts'; accounts: readonly Omit<Account, 'platform'>[] }
  /** A person resumes the browser, with whichever account it has now. */
  | { type: 'resumed' }
  /** The clock of the node has jumped by that much. */
  | { type: 'clock_jumped'; by: number }
  /** Removes deliveries in flight whose lease has expired, or (`all`, after a restart of the agent) every one. */
  | { type: 'swept'; all: boolean };
type EventOf<T extends SlotEvent['type']> = Extract<SlotEvent, { type: T }>;

/** Between a delivery that failed and the next attempt. */
export const DELIVERY_BACKOFF: Backoff = {
  base_ms: DELIVERY.retry_base_ms,
  max_ms: DELIVERY.retry_max_ms,
  jitter: DELIVERY.retry_jitter,
};

function afterStart(slot: Slot, event: EventOf<'started'>, now: number): Slot {
  return {
    ...slot,
    // Admission lets a delivery start on an open breaker only when its time is over: it is the probe.
    breaker: slot.breaker === 'open' ? 'half_open' : slot.breaker,
    open_until: slot.breaker === 'open' ? null : slot.open_until,
    spaced_until: now + DELIVERY.min_spacing_ms + Math.round(DELIVERY.spacing_jitter_ms * event.chance),
    starts: [...recentStarts(slot, now), now],
    in_flight: [
      ...slot.in_flight,
      { plan_id: event.plan_id, lease_until: now + event.timeout_ms + DELIVERY.stale_lease_ms },
    ],
    last_activity_at: now,
    last_activity_reason: 'sending',
  };
}

function recentStarts(slot: Slot, now: number): number[] {
  return slot.starts.filter((at) => at > now - DELIVERY.rate_window_ms);
}

function afterFailure(slot: Slot, { retry_after_ms, chance }: EventOf<'ended'>, now: number): Slot {
  const failures = slot.failures + 1;
  const opens = slot.breaker === 'half_open' || (slot.breaker === 'closed' && failures >= DELIVERY.breaker_failures);
  const delayMs = Math.max(retry_after_ms ?? 0, retryDelayMs(failures, DELIVERY_BACKOFF, chance));
  return {
    ...slot,
    failures,
    breaker: opens ? 'open' : slot.breaker,
    open_until: opens ? now + DELIVERY.breaker_open_ms : slot.open_until,
    backoff_until: Math.max(slot.backoff_until, now + delayMs),
  };
}

/** The first reason stays. */
function stopSlot(slot: Slot, reason: StopReason, now: number): Slot {
  if (slot.stopped !== null) return slot;
  return { ...slot, stopped: { reason, since: now }, last_activity_at: now, last_activity_reason: reason };
}

/** The account that was first seen in a container; null while none was. */
function knownAccount({ fingerprint, containers }: Slot, container: string | null): string | null {
  // Without its name it may be any container, and before there were names it was the default one.
  const unnamed = container === null || container === DEFAULT_CONTAINER ? fingerprint : null;
  return container === null ? unnamed : (containers[container] ?? unnamed);
}

function withAccount(slot: Slot, container: string | null, fingerprint: string): Slot {
  if (knownAccount(slot, container) !== null) return slot;
  if (container === null) return { ...slot, fingerprint };
  const known = Object.entries({ ...slot.containers, [container]: fingerprint });
  return { ...slot, containers: Object.fromEntries(known.slice(-MAX_CONTAINERS)) };
}

/** Another account in the same container is a change; accounts side by side in several are none. */
function afterAccounts(slot: Slot, { accounts }: EventOf<'accounts'>, now: number): Slot {
  const lost = accounts.length > 0 && accounts.every((one) => one.lost);
  const isNewlyLost = lost && !slot.login_lost;
  let noted = lost === slot.login_lost ? slot : { ...slot, login_lost: lost };
  let isChanged = false;
  for (const { container = null, fingerprint } of accounts) {
    if (fingerprint === null) continue;
    noted = withAccount(noted, container, fingerprint);
    isChanged ||= knownAccount(noted, container) !== fingerprint;
  }
  if (isChanged) return stopSlot(noted, 'account_changed', now);
  return isNewlyLost ? stopSlot(noted, 'signed_out', now) : noted;
}

/** The account of every delivery of this slot; null while none or more than one is known. */
export function onlyAccount({ fingerprint, containers }: Slot): string | null {
  const known = new Set(Object.values(containers));
  if (fingerprint !== null) known.add(fingerprint);
  return known.size === 1 ? ([...known][0] ?? null) : null;
}

/** A person has looked: failures and the account of before no longer count. */
function afterResume(slot: Slot, now: number): Slot {
  if (slot.stopped === null) return slot;
  return {
    ...slot,
    stopped: null,
    fingerprint: null,
    containers: {},
    breaker: 'closed',
    failures: 0,
    open_until: null,
    backoff_until: 0,
    last_activity_at: now,
    last_activity_reason: 'resumed',
  };
}

function afterEnd(before: Slot, event: EventOf<'ended'>, now: number): Slot {
  const slot: Slot = {
    ...before,
    in_flight: before.in_flight.filter(({ plan_id }) => plan_id !== event.plan_id),
    last_activity_at: now,
    last_activity_reason: event.reason,
  };
  const counted = countEnd(withPages(slot, event.pages ?? null), event, now);
  return event.stops == null ? counted : stopSlot(counted, event.stops, now);
}

/** A report of the slot has texts of at most 500 characters. */
function listed(texts: readonly string[]): string | null {
  return texts.length === 0 ? null : texts.join('; ').slice(0, 500);
}

function withPages(slot: Slot, pages: PagesFound | null): Slot {
  if (pages === null) return slot;
  const { drift, restored, skipped } = pages;
  return {
    ...slot,
    last_drift: listed(drift),
    last_skipped: listed(skipped),
    restored_count: slot.restored_count + restored,
  };
}

function countEnd(slot: Slot, event: EventOf<'ended'>, now: number): Slot {
  switch (event.counts_as) {
    case 'neutral':
      return slot;
    case 'failure':
      return afterFailure(slot, event, now);
    case 'success':
      // Sent before the breaker opened, so not its probe: the breaker stays open.
      if (slot.breaker === 'open') return slot;
      return { ...slot, breaker: 'closed', failures: 0, open_until: null, backoff_until: 0 };
    default:
      return event.counts_as satisfies never;
  }
}

function afterSweep(slot: Slot, { all }: EventOf<'swept'>, now: number): Slot {
  const kept = all ? [] : slot.in_flight.filter(({ lease_until }) => lease_until > now);
  const swept = slot.in_flight.length - kept.length;
  if (swept === 0) return slot;
  return { ...slot, in_flight: kept, stale_sweep_count: slot.stale_sweep_count + swept, last_stale_sweep_at: now };
}

/** The slot by a clock that has jumped by that much: what was to wait a minute still waits a minute. */
function moveSlot(slot: Slot, by: number): Slot {
  const move = (at: number) => Math.max(0, at + by);
  return {
    ...slot,
    open_until: slot.open_until === null ? null : move(slot.open_until),
    backoff_until: slot.backoff_until === 0 ? 0 : move(slot.backoff_until),
    spaced_until: slot.spaced_until === 0 ? 0 : move(slot.spaced_until),
    starts: slot.starts.map(move),
    in_flight: slot.in_flight.map((one) => ({ ...one, lease_until: move(one.lease_until) })),
    last_activity_at: slot.last_activity_at === null ? null : move(slot.last_activity_at),
  };
}

/** The slot of an agent that was not there when its clock was set back: the last activity cannot be ahead of now. */
function withClockSetBack(slot: Slot, now: number): Slot {
  const ahead = (slot.last_activity_at ?? now) - now;
  return ahead <= 0 ? slot : moveSlot(slot, -ahead);
}

/** The slot after an event; the same object when the event changes nothing. */
export function nextSlot(before: Slot, event: SlotEvent, now: number): Slot {
  if (event.type === 'clock_jumped') return moveSlot(before, event.by);
  const slot = withClockSetBack(before, now);
  switch (event.type) {
    case 'started':
      return afterStart(slot, event, now);
    case 'ended':
      return afterEnd(slot, event, now);
    case 'accounts':
      return afterAccounts(slot, event, now);
    case 'resumed':
      return afterResume(slot, now);
    case 'swept':
      return afterSweep(slot, event, now);
    default:
      return event satisfies never;
  }
}

/** Whether one more delivery may start now. `until`: from when on it may; null: after an event. */
export type Admission =
  | { admitted: true }
  /** `stopped`: only a person's resume ends it. */
  | { admitted: false; reason: string; until: number | null; stopped?: true };

export function admission(slot: Slot, now: number): Admission {
  if (slot.stopped !== null) return { ...refused(slot.stopped.reason, null), stopped: true };
  if (slot.in_flight.length >= DELIVERY.per_platform_in_flight) return refused('slots_busy', null);
  if (slot.breaker === 'open' && slot.open_until !== null && slot.open_until > now) {
    return refused('breaker_open', slot.open_until);
  }
  if (slot.breaker !== 'closed' && slot.in_flight.length > 0) return refused('breaker_probing', null);
  if (slot.backoff_until > now) return refused('backoff', slot.backoff_until);
  if (slot.spaced_until > now) return refused('spacing', slot.spaced_until);
  const recent = recentStarts(slot, now);
  const oldest = recent[0];
  if (oldest !== undefined && recent.length >= DELIVERY.rate_max) {
    return refused('rate_limit', oldest + DELIVERY.rate_window_ms);
  }
  return { admitted: true };
}

function refused(reason: string, until: number | null): Exclude<Admission, { admitted: true }> {
  return { admitted: false, reason, until };
}
