/**
 * The public price list, and what a number of billed things costs a month. Sources: developers.cloudflare.com, the pages
 * /workers/platform/pricing, /d1/platform/pricing and /durable-objects/platform/pricing, from archived copies of 2026 or
 * earlier: look there before relying on it. Rows of objects are taken to cost what rows of D1 do; the copies do not say.
 * Stored bytes are not priced.
 */
import type { Counts } from '../edge/counted.ts';

const MILLION = 1_000_000;
export const DAYS = 30;
export const HOURS = DAYS * 24;

/** Workers Paid: what the base price includes a month, and what a million more costs, in dollars. */
const PAID = {
  base: 5,
  worker_requests: { included: 10 * MILLION, perMillion: 0.3 },
  worker_cpu_ms: { included: 30 * MILLION, perMillion: 0.02 },
  object_requests: { included: MILLION, perMillion: 0.15 },
  object_gb_seconds: { included: 400_000, perMillion: 12.5 },
  d1_rows_read: { included: 25_000 * MILLION, perMillion: 0.001 },
  d1_rows_written: { included: 50 * MILLION, perMillion: 1 },
  object_rows_read: { included: 25_000 * MILLION, perMillion: 0.001 },
  object_rows_written: { included: 50 * MILLION, perMillion: 1 },
} as const;

/** Workers Free: what is given a day; beyond it requests fail. */
const FREE_PER_DAY = {
  worker_requests: 100_000,
  object_requests: 100_000,
  object_gb_seconds: 13_000,
  d1_rows_read: 5 * MILLION,
  d1_rows_written: 100_000,
  object_rows_read: 5 * MILLION,
  object_rows_written: 100_000,
} as const;

/** Incoming WebSocket messages to one billed request. */
const MESSAGES_PER_REQUEST = 20;
/** An object is billed for 128 MB while it works. */
const OBJECT_GB = 128 / 1_000;
/** Assumed, as a local machine cannot measure it: the time the price list's own examples take for one message. */
const OBJECT_MS_PER_EVENT = 10;
/** Assumed for the same reason. */
const CPU_MS_PER_REQUEST = 5;

export type Billed = Record<keyof Omit<typeof PAID, 'base'>, number>;

/** What is billed for that many counted things. */
export function billed(counts: Counts): Billed {
  const { worker_requests, object_requests, socket_messages, ...rows } = counts;
  const events = object_requests + socket_messages;
  return {
    worker_requests,
    worker_cpu_ms: worker_requests * CPU_MS_PER_REQUEST,
    object_requests: object_requests + socket_messages / MESSAGES_PER_REQUEST,
    object_gb_seconds: (events * OBJECT_MS_PER_EVENT * OBJECT_GB) / 1_000,
    d1_rows_read: rows.d1_rows_read,
    d1_rows_written: rows.d1_rows_written,
    object_rows_read: rows.object_rows_read,
    object_rows_written: rows.object_rows_written,
  };
}

const NAMES = Object.keys(PAID).filter((name) => name !== 'base') as (keyof Billed)[];

/** Dollars for a million of an operation, nothing included. */
export function dollarsPerMillion(counts: Counts): number {
  const bill = billed(counts);
  return NAMES.reduce<number>((sum, name) => sum + bill[name] * PAID[name].perMillion, 0);
}

/** Dollars for a month on the paid plan. */
export function paidMonth(monthly: Counts): number {
  const bill = billed(monthly);
  const over = (name: keyof Billed): number => Math.max(0, bill[name] - PAID[name].included) / MILLION;
  return NAMES.reduce<number>((sum, name) => sum + over(name) * PAID[name].perMillion, PAID.base);
}

/** The largest share of a daily allowance of the free plan that a month of that takes, spread evenly, and of which. */
export function freeShare(monthly: Counts): { share: number; of: keyof Billed } {
  const bill = billed(monthly);
  const names = Object.keys(FREE_PER_DAY) as (keyof typeof FREE_PER_DAY)[];
  const shares = names.map((of) => ({ share: bill[of] / DAYS / FREE_PER_DAY[of], of }));
  return shares.reduce((most, one) => (one.share > most.share ? one : most));
}
