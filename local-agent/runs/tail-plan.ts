/**
 * Which bytes of a log are sent next: pure. The edge keeps the beginning and the end of each stream, so what would be
 * dropped there anyway is left out here: a log that grows faster than it can be sent skips to its end.
 */
import { RUN, RUN_FILES } from '../../schema/defaults.ts';

const { chunk_bytes, flush_ms, later_flush } = RUN_FILES;
const { log_head_bytes, log_tail_bytes } = RUN;

export interface TailPosition {
  /** Up to here the log was sent or skipped. */
  offset: number;
  /** Since when bytes behind the offset wait, by the monotonic clock; null when none do. */
  waitingSince: number | null;
}

export interface LogSize {
  bytes: number;
  /** Nothing is written any more: the rest is sent however short it is. */
  isComplete: boolean;
}

export interface Slice {
  from: number;
  to: number;
}

/** Where the next chunk begins: behind the last one, or where the kept end begins when that is further. */
function nextOffset(offset: number, bytes: number): number {
  return offset < log_head_bytes ? offset : Math.max(offset, bytes - log_tail_bytes);
}

function flushMs(ageMs: number): number {
  return later_flush.findLast(({ age_ms }) => ageMs >= age_ms)?.flush_ms ?? flush_ms;
}

/** The next chunk; null when it has to wait for more bytes, or there are none. `ageMs`: since the log is followed. */
export function nextSlice({ offset, waitingSince }: TailPosition, log: LogSize, now: number, ageMs = 0): Slice | null {
  const from = nextOffset(offset, log.bytes);
  const ready = log.bytes - from;
  if (ready <= 0) return null;
  const limit = from < log_head_bytes ? Math.min(chunk_bytes, log_head_bytes - from) : chunk_bytes;
  const isOld = waitingSince !== null && now - waitingSince >= flushMs(ageMs);
  if (ready < limit && !isOld && !log.isComplete) return null;
  return { from, to: from + Math.min(limit, ready) };
}

/** The position after a look at the log that sent nothing. */
export function waited(position: TailPosition, log: LogSize, now: number): TailPosition {
  const isBehind = log.bytes > position.offset;
  return { ...position, waitingSince: isBehind ? (position.waitingSince ?? now) : null };
}
