/** Feeds what a step prints to a reader of lines, a bounded part at a time, from the beginning of the file on. */
import { closeSync, openSync, readSync } from 'node:fs';
import { join } from 'node:path';

const PART_BYTES = 1024 * 1024;

export class OutputFeed {
  readonly #fd: number;
  readonly #take: (bytes: Buffer) => void;
  #offset = 0;

  constructor(runFolder: string, take: (bytes: Buffer) => void) {
    this.#fd = openSync(join(runFolder, 'stdout.log'), 'r');
    this.#take = take;
  }

  /** Feeds the next part. False when there is nothing more now. */
  next(): boolean {
    const bytes = Buffer.allocUnsafe(PART_BYTES);
    const length = readSync(this.#fd, bytes, 0, PART_BYTES, this.#offset);
    if (length === 0) return false;
    this.#offset += length;
    this.#take(bytes.subarray(0, length));
    return length === PART_BYTES;
  }

  close(): void {
    closeSync(this.#fd);
  }
}
