/** Reads slices of the logs of one run through open descriptors, so that a removed folder does not end a tail. */
import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { join } from 'node:path';
import type { RunStream } from '../../schema/contracts/runs.ts';
import { RUN_STREAMS } from '../../schema/contracts/runs.ts';
import { STREAM_FILES } from './run-paths.ts';
import type { Slice } from './tail-plan.ts';

export class LogReader {
  readonly #fds: Record<RunStream, number>;

  /** @throws the system's error when a log is missing */
  constructor(folder: string) {
    const opened = RUN_STREAMS.map((stream) => [stream, openSync(join(folder, STREAM_FILES[stream]), 'r')]);
    this.#fds = Object.fromEntries(opened) as Record<RunStream, number>;
  }

  size(stream: RunStream): number {
    return fstatSync(this.#fds[stream]).size;
  }

  /** The bytes of a slice; fewer when the log was shortened meanwhile. */
  read(stream: RunStream, { from, to }: Slice): Buffer {
    const bytes = Buffer.allocUnsafe(to - from);
    let length = 0;
    while (length < bytes.length) {
      const count = readSync(this.#fds[stream], bytes, length, bytes.length - length, from + length);
      if (count === 0) break;
      length += count;
    }
    return bytes.subarray(0, length);
  }

  close(): void {
    for (const fd of Object.values(this.#fds)) closeSync(fd);
  }
}
