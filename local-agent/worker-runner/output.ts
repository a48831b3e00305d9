/** Collects the output of a child process up to a limit. The rest is read and dropped, so it costs no memory. */
export class OutputCollector {
  readonly #maxBytes: number;
  readonly #chunks: Buffer[] = [];
  #kept = 0;
  #truncated = false;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  take(chunk: Buffer): void {
    const room = this.#maxBytes - this.#kept;
    if (chunk.length > room) this.#truncated = true;
    if (room <= 0) return;
    // Copied, as a slice would keep the whole chunk in memory.
    const part = chunk.length > room ? Buffer.from(chunk.subarray(0, room)) : chunk;
    this.#chunks.push(part);
    this.#kept += part.length;
  }

  get truncated(): boolean {
    return this.#truncated;
  }

  text(): string {
    return Buffer.concat(this.#chunks).toString('utf8');
  }
}
