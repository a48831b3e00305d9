/** A lease in somebody else's database. Each lane has a lease of its own there, so that no row lock holds it back. */
import type { Cleanup } from '../harness/cleanup.ts';

export interface LeasePeer {
  name: string;
  /** The lane's holder renews. Each rejects when the database did not do it. */
  renew(lane: number): Promise<void>;
  /** Another asks for a lease that is held, and is refused. */
  refused(lane: number): Promise<void>;
  /** A free lease is taken and given back: two requests. */
  acquireAndRelease(lane: number): Promise<void>;
}

/** The peer, ready; or why it is absent. */
export type PeerStart = (cleanup: Cleanup, lanes: number) => Promise<LeasePeer | { absent: string }>;

/** Long: no lease runs out in the middle of a run. */
export const LEASE_MS = 280_000;
export const HOLDER = 'node-a';
export const CONTENDER = 'node-b';

/** Of an answer that must say yes, or no. */
export function expectAnswer(got: boolean, wanted: boolean, what: string): void {
  if (got !== wanted) throw new Error(`${what} was ${got ? 'granted' : 'refused'}`);
}
