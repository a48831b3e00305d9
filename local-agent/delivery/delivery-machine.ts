/**
 * The states of a delivery on this node. `sending` is committed before anything leaves, so a delivery found in it after a
 * crash may have been sent: it is `uncertain`. A reply's browser is then given the same plan again, which it never sends
 * twice. docs/state-machines.md draws the table.
 */
export const DELIVERY_STATES = ['queued', 'sending', 'ended'] as const;
export type DeliveryState = (typeof DELIVERY_STATES)[number];

export const DELIVERY_TRANSITIONS = {
  /** It is sent, or dropped because it would wait too long. */
  queued: ['sending', 'ended'],
  /** It has an outcome, or is a reply that certainly was not taken and is tried again. */
  sending: ['queued', 'ended'],
  /** The edge asks again for a deferred renewal, or a search has found an uncertain one. */
  ended: ['queued', 'ended'],
} as const satisfies Record<DeliveryState, readonly DeliveryState[]>;

/** @throws Error when the table does not allow the move: a bug of the caller. */
export function requireTransition(planId: string, from: DeliveryState, to: DeliveryState): void {
  const allowed: readonly DeliveryState[] = DELIVERY_TRANSITIONS[from];
  if (!allowed.includes(to)) throw new Error(`delivery ${planId} is ${from} and cannot become ${to}`);
}
