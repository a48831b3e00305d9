/**
 * Follows the logs of one run and hands their bytes on as requests to the edge. Where it is in each log is stored together
 * with each request, so that a restart loses and repeats nothing. It reads only as much as may wait in the outbox, so a run
 * with much output costs neither memory nor room in the store.
 */
import type { RunLogsBody, RunStream } from '../../schema/contracts/runs.ts';
import { RUN_STREAMS } from '../../schema/contracts/runs.ts';
import { RUN_FILES } from '../../schema/defaults.ts';
import { LogReader } from './log-reader.ts';
import type { TailPosition } from './tail-plan.ts';
import { nextSlice, waited } from './tail-plan.ts';

export type SentBytes = Record<RunStream, number>;
export const NOTHING_SENT: SentBytes = { stdout: 0, stderr: 0, lifecycle: 0 };
type Chunk = RunLogsBody['chunks'][number];

export interface TailDeps {
  folder: string;
  /** What an earlier look has sent. */
  sent: SentBytes;
  monotonic: () => number;
  /** How many requests may be handed on now. */
  room: () => number;
  /** Stores a request, and where the tail is then, in one transaction. */
  send: (chunks: Chunk[], sent: SentBytes) => void;
}

export class RunTail {
  readonly #deps: TailDeps;
  readonly #reader: LogReader;
  readonly #since: number;
  #positions: Record<RunStream, TailPosition>;

  /** @throws the system's error when a log is missing */
  constructor(deps: TailDeps) {
    this.#deps = deps;
    this.#since = deps.monotonic();
    this.#reader = new LogReader(deps.folder);
    const start = (stream: RunStream) => ({ offset: deps.sent[stream], waitingSince: null });
    this.#positions = { stdout: start('stdout'), stderr: start('stderr'), lifecycle: start('lifecycle') };
  }

  /**
   * Hands on what is due. True when all that is in the logs has been handed on.
   *
   * @throws what `send` throws; then the next look hands the same bytes on
   */
  look({ isComplete }: { isComplete: boolean }): boolean {
    for (let room = this.#deps.room(); room > 0; room--) {
      if (!this.#sendNext(isComplete)) break;
    }
    return RUN_STREAMS.every((stream) => this.#positions[stream].offset >= this.#reader.size(stream));
  }

  close(): void {
    this.#reader.close();
  }

  /** False when nothing is due. */
  #sendNext(isComplete: boolean): boolean {
    const before = { ...this.#positions };
    try {
      const chunks = this.#nextChunks(isComplete);
      if (chunks.length === 0) return false;
      this.#deps.send(chunks, this.#sent());
      return true;
    } catch (error) {
      this.#positions = before;
      throw error;
    }
  }

  #sent(): SentBytes {
    const { stdout, stderr, lifecycle } = this.#positions;
    return { stdout: stdout.offset, stderr: stderr.offset, lifecycle: lifecycle.offset };
  }

  #nextChunks(isComplete: boolean): Chunk[] {
    const chunks: Chunk[] = [];
    let bytes = 0;
    for (const stream of RUN_STREAMS) {
      for (; bytes < RUN_FILES.request_bytes; ) {
        const chunk = this.#nextChunk(stream, isComplete);
        if (chunk === null) break;
        chunks.push(chunk.chunk);
        bytes += chunk.bytes;
      }
    }
    return chunks;
  }

  #nextChunk(stream: RunStream, isComplete: boolean): { chunk: Chunk; bytes: number } | null {
    const now = this.#deps.monotonic();
    const position = this.#positions[stream];
    const log = { bytes: this.#reader.size(stream), isComplete };
    const slice = nextSlice(position, log, now, now - this.#since);
    if (slice === null) {
      this.#positions[stream] = waited(position, log, now);
      return null;
    }
    const data = this.#reader.read(stream, slice);
    if (data.length === 0) return null;
    this.#positions[stream] = { offset: slice.from + data.length, waitingSince: null };
    const skips = slice.from > position.offset ? { skips: true } : {};
    return { chunk: { stream, offset: slice.from, data: data.toString('base64'), ...skips }, bytes: data.length };
  }
}
