/**
 * Which process may act as a node. Each start of an agent has a boot id, and names the boot before it that its state
 * folder knows. So the next process of the same folder takes over at once, also after a kill; a second agent under the
 * same node id is refused while the first is alive, and two that live never take the node from each other.
 */
import type { Boot } from '../contracts/objects.ts';

export interface AdmittedBoot {
  boot_id: string;
  /** When it was last in contact (Unix milliseconds). */
  seen_at: number;
}

/** A process that was silent for this long does not keep its node: three pings. */
export const BOOT_ALIVE_MS = 15_000;

/** Whether that boot may act as the node whose `current` boot is known; null when none is. */
export function admitsBoot(current: AdmittedBoot | null, { boot_id, previous_boot_id }: Boot, now: number): boolean {
  if (current === null || current.boot_id === boot_id || current.boot_id === previous_boot_id) return true;
  return now - current.seen_at > BOOT_ALIVE_MS;
}
