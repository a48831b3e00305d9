/**
 * A body that is written while it is sent. When the writer fails, the connection breaks off: a reader can tell a whole body
 * from a part of one.
 */
export class ByteSink {
  readonly #writer: WritableStreamDefaultWriter<Uint8Array>;
  #isGone = false;

  constructor(writable: WritableStream<Uint8Array>) {
    this.#writer = writable.getWriter();
    this.#writer.closed.catch(() => {
      this.#isGone = true;
    });
  }

  /** Whether the reader has gone: nothing more is to be written. */
  get isGone(): boolean {
    return this.#isGone;
  }

  /** Waits until the reader takes it. Text is sent as UTF-8. */
  async write(content: Uint8Array | string): Promise<void> {
    if (this.#isGone) return;
    const bytes = typeof content === 'string' ? new TextEncoder().encode(content) : content;
    try {
      await this.#writer.write(bytes);
    } catch {
      this.#isGone = true;
    }
  }

  sleep(ms: number): Promise<void> {
    return new Promise((resolve) => setTimeout(resolve, ms));
  }

  async end(work: Promise<void>): Promise<void> {
    try {
      await work;
      if (!this.#isGone) await this.#writer.close();
    } catch (error) {
      await this.#writer.abort(error).catch(() => undefined);
    }
  }
}

/** The body that `write` writes. */
export function byteStream(write: (sink: ByteSink) => Promise<void>): ReadableStream<Uint8Array> {
  const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>();
  const sink = new ByteSink(writable);
  void sink.end(write(sink));
  return readable;
}
