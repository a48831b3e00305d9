/**
 * The log of a run at the edge: rows in the order of arrival, each of one stream. Small pieces are added to the newest
 * row. Of each stream the first and the last bytes are kept, so what a run stores is bounded however much it prints.
 */
import type { LogState, RunLog, RunStream } from '../contracts/runs.ts';
import { RUN_STREAMS } from '../contracts/runs.ts';
import { RUN } from '../defaults.ts';

export interface LogChunk {
  stream: RunStream;
  /** Bytes of the stream before it. */
  offset: number;
  data: Uint8Array;
  /** The node left out the bytes before it, which would be dropped between the kept beginning and end. */
  skips?: boolean | undefined;
}

/** A row to store, in place of the one at its position if there is one. */
export interface LogRowDraft {
  position: number;
  stream: RunStream;
  start: number;
  data: Uint8Array;
}

/** `gap`: a chunk does not continue its stream, which the edge has `expected` bytes of. */
export type Appended =
  | { next: LogState; rows: LogRowDraft[] }
  | { gap: { stream: RunStream; offset: number; expected: number } };

/** The log that has that stream. */
export function logOf(stream: RunStream): RunLog {
  return stream === 'lifecycle' ? 'lifecycle' : 'output';
}

/** `newest`: the data of the newest row of each log. Bytes that the log has already are passed over. */
export function appendLog(
  state: LogState,
  newest: Readonly<Record<RunLog, Uint8Array | null>>,
  chunks: readonly LogChunk[],
): Appended {
  const growing = {
    output: new GrowingLog(state.logs.output, newest.output),
    lifecycle: new GrowingLog(state.logs.lifecycle, newest.lifecycle),
  };
  const streams = copyOf(state.streams);
  for (const { stream, offset, data, skips } of chunks) {
    const own = streams[stream];
    if (offset > own.bytes) {
      if (!skips || own.bytes < RUN.log_head_bytes) return { gap: { stream, offset, expected: own.bytes } };
      growing[logOf(stream)].skip(own, offset - own.bytes);
    }
    growing[logOf(stream)].append(stream, own, data.subarray(Math.min(data.length, own.bytes - offset)));
  }
  const { output, lifecycle } = growing;
  return {
    next: { logs: { output: output.end, lifecycle: lifecycle.end }, streams },
    rows: [...output.rows(), ...lifecycle.rows()],
  };
}

type Stream = LogState['streams'][RunStream];
type LogEnd = LogState['logs'][RunLog];

function copyOf({ stdout, stderr, lifecycle }: LogState['streams']): LogState['streams'] {
  return { stdout: { ...stdout }, stderr: { ...stderr }, lifecycle: { ...lifecycle } };
}

/** One log while bytes are added to it. */
class GrowingLog {
  readonly end: LogEnd;
  readonly #stored: Uint8Array | null;
  readonly #rows = new Map<number, { stream: RunStream; start: number; parts: Uint8Array[] }>();

  constructor(end: LogEnd, newest: Uint8Array | null) {
    this.end = { ...end, last: newest === null ? null : end.last && { ...end.last } };
    this.#stored = newest;
  }

  append(stream: RunStream, own: Stream, data: Uint8Array): void {
    for (let rest = data; rest.length > 0; ) {
      const room = this.#roomInLast(stream, own) || this.#openRow(stream, own);
      const part = rest.subarray(0, room);
      this.#add(own, part);
      rest = rest.subarray(part.length);
    }
  }

  /** Passes over bytes that were not sent. They count as dropped, and the next ones begin a row. */
  skip(own: Stream, bytes: number): void {
    own.bytes += bytes;
    own.dropped_bytes += bytes;
    this.end.position += bytes;
    this.end.last = null;
  }

  /** The rows that are new or longer, in their order. */
  rows(): LogRowDraft[] {
    return Array.from(this.#rows, ([position, { stream, start, parts }]) => ({
      position,
      stream,
      start,
      data: joined(parts),
    }));
  }

  #roomInLast(stream: RunStream, own: Stream): number {
    const { last } = this.end;
    if (last?.stream !== stream) return 0;
    const toBoundary = own.tail_from === null ? RUN.log_head_bytes - own.bytes : RUN.log_row_bytes;
    return Math.max(0, Math.min(RUN.log_row_bytes - last.bytes, toBoundary));
  }

  /** Begins a row, and returns how many bytes it takes. */
  #openRow(stream: RunStream, own: Stream): number {
    const { position } = this.end;
    const headIsFull = own.bytes >= RUN.log_head_bytes || own.head_rows >= RUN.log_part_rows;
    if (own.tail_from === null && headIsFull) own.tail_from = { position, start: own.bytes };
    if (own.tail_from === null) own.head_rows += 1;
    else own.tail_rows += 1;
    this.end.last = { position, stream, bytes: 0 };
    this.#rows.set(position, { stream, start: own.bytes, parts: [] });
    return own.tail_from === null ? Math.min(RUN.log_row_bytes, RUN.log_head_bytes - own.bytes) : RUN.log_row_bytes;
  }

  #add(own: Stream, part: Uint8Array): void {
    const { last } = this.end;
    if (last === null) throw new Error('a row is open before bytes are added');
    this.#rowOf(last, own).parts.push(part);
    last.bytes += part.length;
    own.bytes += part.length;
    this.end.position += part.length;
  }

  /** The stored row joins the others once it grows. */
  #rowOf({ position, stream, bytes }: NonNullable<LogEnd['last']>, own: Stream) {
    const row = this.#rows.get(position) ?? {
      stream,
      start: own.bytes - bytes,
      parts: [this.#stored ?? new Uint8Array()],
    };
    this.#rows.set(position, row);
    return row;
  }
}

function joined(parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

/** A stored row, without its data. */
export interface StoredRow {
  position: number;
  stream: RunStream;
  start: number;
  bytes: number;
}

/** Where rows have to be looked at because a stream keeps more of its end than it may; null for nowhere. */
export function trimFrom({ streams }: LogState, log: RunLog): number | null {
  const over = RUN_STREAMS.filter((stream) => logOf(stream) === log).flatMap((stream) => {
    const { bytes, tail_from, tail_rows } = streams[stream];
    if (tail_from === null) return [];
    const keepsTooMuch = bytes - tail_from.start > RUN.log_tail_bytes + RUN.log_row_bytes;
    return keepsTooMuch || tail_rows > RUN.log_part_rows ? [tail_from.position] : [];
  });
  return over.length === 0 ? null : Math.min(...over);
}

/** What to drop of the rows of that log found from there on, in their order, and the state after it. */
export function trimLog(state: LogState, log: RunLog, found: readonly StoredRow[]): { next: LogState; drop: number[] } {
  const next = { ...state, streams: copyOf(state.streams) };
  const newest = next.logs[log].last?.position;
  const drop: number[] = [];
  /** Streams of which a row stays: the later ones stay too. */
  const keeps = new Set<RunStream>();
  for (const row of found) {
    const own = next.streams[row.stream];
    if (own.tail_from === null || row.position < own.tail_from.position || keeps.has(row.stream)) continue;
    // Bytes before it were left out by its node.
    if (row.start > own.tail_from.start) own.tail_from = { position: row.position, start: row.start };
    const end = row.start + row.bytes;
    const isBeforeTail = own.bytes - end >= RUN.log_tail_bytes;
    // The newest row grows, so it stays.
    if (row.position === newest || !(isBeforeTail || own.tail_rows > RUN.log_part_rows)) {
      keeps.add(row.stream);
      continue;
    }
    drop.push(row.position);
    own.tail_rows -= 1;
    own.dropped_bytes += row.bytes;
    own.tail_from = { position: row.position + row.bytes, start: end };
  }
  return { next, drop };
}
