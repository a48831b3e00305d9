/**
 * The two nodes that may ask for the lease: the first by (preferred, priority, id) of those that have sent their hello, were
 * in contact within a TTL, and are not drained. Presence is contact, not an open socket: a lost network closes no socket.
 */
import { LEASE } from '../../schema/defaults.ts';

export interface ConnectedNode {
  controller_id: string;
  preferred: boolean;
  priority: number;
  draining: boolean;
  /** Unix milliseconds. */
  last_contact_at: number;
}

const CANDIDATES = 2;
const CONTACT_MAX_MS = LEASE.ttl_sec * 1_000;

export function isRecentContact(lastContactAt: number, now: number): boolean {
  return now - lastContactAt <= CONTACT_MAX_MS;
}

export function pickCandidates(nodes: readonly ConnectedNode[], now: number): ReadonlySet<string> {
  const ranked = nodes
    .filter((node) => !node.draining && isRecentContact(node.last_contact_at, now))
    .sort(
      (a, b) =>
        Number(b.preferred) - Number(a.preferred) ||
        b.priority - a.priority ||
        (a.controller_id < b.controller_id ? -1 : 1),
    );
  return new Set(ranked.slice(0, CANDIDATES).map((node) => node.controller_id));
}
