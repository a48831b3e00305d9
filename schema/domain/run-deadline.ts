/** The deadline of a run: until then its node reports it, or another node may take its step. */
import { RUN } from '../defaults.ts';

/**
 * The deadline after a heartbeat (Unix milliseconds). It moves only when it would move by a minute, or a tenth of the
 * grace: most heartbeats write nothing. The node gets the stored deadline, so it never trusts a later one.
 */
export function heldDeadline(
  { deadline_at, grace_ms }: { deadline_at: number | null; grace_ms: number },
  now: number,
): number {
  const next = now + grace_ms;
  const grain = Math.min(RUN.deadline_grain_ms, Math.floor(grace_ms / RUN.deadline_grain_part));
  return deadline_at !== null && next - deadline_at < grain ? deadline_at : next;
}
