/**
 * Reads the body of one response while the page receives it. The page gets each part before the decoder does, and a
 * decoder that fails never keeps a byte from it.
 */
import type { DecodedEvent, Decoder } from '../../sites/decoder.ts';
import type { Filter } from './web-request.ts';

export interface BodyReaderDeps {
  filter: Filter;
  /** Called at the first byte, or at the end of an empty body. */
  decoder: () => Decoder;
  onEvents: (events: DecodedEvent[]) => void;
  /** The body has ended, or is not read any more. Called once. */
  onEnd: () => void;
}

export class BodyReader {
  readonly #deps: BodyReaderDeps;
  #decoder: Decoder | null = null;
  #hasEnded = false;

  constructor(deps: BodyReaderDeps) {
    this.#deps = deps;
    const { filter } = deps;
    filter.listen({
      onData: (data) => {
        filter.write(data);
        this.#decode((decoder) => decoder.push(new Uint8Array(data)));
      },
      onStop: () => {
        this.#letGo();
        this.#finish(false);
      },
      onError: () => this.#finish(true),
    });
  }

  /** The body is of no interest: the page receives the rest of it directly. */
  drop(): void {
    this.#letGo();
    this.#end();
  }

  #finish(isBroken: boolean): void {
    if (this.#hasEnded) return;
    this.#decode((decoder) => decoder.end(isBroken));
    this.#end();
  }

  #decode(step: (decoder: Decoder) => DecodedEvent[]): void {
    if (this.#hasEnded) return;
    let events: DecodedEvent[];
    try {
      this.#decoder ??= this.#deps.decoder();
      events = step(this.#decoder);
    } catch {
      // The text of the error may quote the conversation.
      this.#deps.onEvents([{ type: 'opaque', reason: 'decoder_failed' }]);
      this.drop();
      return;
    }
    if (events.length > 0) this.#deps.onEvents(events);
  }

  #letGo(): void {
    try {
      this.#deps.filter.disconnect();
    } catch {
      // The request is gone already.
    }
  }

  #end(): void {
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    this.#deps.onEnd();
  }
}
