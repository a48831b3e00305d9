/**
 * Collects the output of a child process: its beginning, its end, and how much lies between. What is left out is read and
 * dropped, so it costs no memory.
 */

/** A failure is reported at the end of an output, so the end gets the larger part. */
const HEAD_PART = 1 / 4;

/** What was kept of one stream. Nothing was left out when `skipped` is null. */
export interface Collected {
  head: Buffer;
  tail: Buffer;
  skipped: { bytes: number; lines: number } | null;
}

export class OutputCollector {
  readonly #headBytes: number;
  readonly #tailBytes: number;
  readonly #head: Buffer[] = [];
  #tail: Buffer[] = [];
  #headLength = 0;
  #tailLength = 0;
  #skippedBytes = 0;
  #skippedLines = 0;

  constructor(maxBytes: number) {
    this.#headBytes = Math.floor(maxBytes * HEAD_PART);
    this.#tailBytes = maxBytes - this.#headBytes;
  }

  take(chunk: Buffer): void {
    const room = this.#headBytes - this.#headLength;
    const forHead = chunk.subarray(0, Math.max(0, room));
    const rest = chunk.subarray(forHead.length);
    if (forHead.length > 0) {
      this.#head.push(Buffer.from(forHead));
      this.#headLength += forHead.length;
    }
    if (rest.length === 0) return;
    this.#tail.push(Buffer.from(rest));
    this.#tailLength += rest.length;
    // Cut only when it has doubled, so that each byte is copied a bounded number of times.
    if (this.#tailLength > 2 * this.#tailBytes) this.#cutTail();
  }

  collected(): Collected {
    if (this.#tailLength > this.#tailBytes) this.#cutTail();
    const skipped = this.#skippedBytes === 0 ? null : { bytes: this.#skippedBytes, lines: this.#skippedLines };
    return { head: Buffer.concat(this.#head), tail: Buffer.concat(this.#tail), skipped };
  }

  #cutTail(): void {
    const all = Buffer.concat(this.#tail);
    const dropped = all.subarray(0, all.length - this.#tailBytes);
    this.#skippedBytes += dropped.length;
    this.#skippedLines += countLines(dropped);
    this.#tail = [Buffer.from(all.subarray(dropped.length))];
    this.#tailLength = this.#tailBytes;
  }
}

function countLines(bytes: Buffer): number {
  let count = 0;
  for (let at = bytes.indexOf(10); at !== -1; at = bytes.indexOf(10, at + 1)) count += 1;
  return count;
}
