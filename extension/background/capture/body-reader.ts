/**
 * Reads the body of one response while the page receives it. The page gets each part before the decoder does, and a
 * decoder that fails never keeps a byte from it. Firefox may give the first bytes, and of a short body all of them and its
 * end, before it gives the headers: they wait for the decoder, which the headers choose.
 */
import type { DecodedEvent, Decoder } from '../../sites/decoder.ts';
import type { BodyBudget } from './body-budget.ts';
import type { Filter } from './web-request.ts';

export interface BodyReaderDeps {
  filter: Filter;
  /** The decoder that the headers choose; null while they are not known, unless `isLast`: they will not be awaited. */
  decoder: (isLast: boolean) => Decoder | null;
  /** The headers may still come. */
  areHeadersDue: () => boolean;
  onEvents: (events: DecodedEvent[]) => void;
  /** Of a body that is held as a whole until its end; null for one that is decoded as it comes. */
  budget: BodyBudget | null;
  /** The body has ended, or is not read any more. Called once. */
  onEnd: () => void;
}

/** Of a body whose headers are not known. */
const MAX_HELD_BYTES = 1024 * 1024;

export class BodyReader {
  readonly #deps: BodyReaderDeps;
  #held: Uint8Array[] = [];
  #heldBytes = 0;
  #decoder: Decoder | null = null;
  /** How the filter ended, as soon as it did. */
  #filterEnd: { isBroken: boolean } | null = null;
  #hasEnded = false;
  /** Of the budget. */
  #taken = 0;

  constructor(deps: BodyReaderDeps) {
    this.#deps = deps;
    const { filter } = deps;
    filter.listen({
      onData: (data) => {
        filter.write(data);
        this.#take(new Uint8Array(data));
      },
      onStop: () => {
        this.#letGo();
        this.#onFilterEnd(false);
      },
      onError: () => this.#onFilterEnd(true),
    });
  }

  /** The headers are known. */
  onHeaders(): void {
    if (this.#filterEnd !== null) this.#finish(this.#filterEnd.isBroken);
    else if (this.#heldBytes > 0) this.#flush(false);
  }

  /** The request has ended: headers that have not come will not come. */
  onRequestEnd(): void {
    if (this.#filterEnd !== null) this.#finish(this.#filterEnd.isBroken);
  }

  /** The body is of no interest: the page receives the rest of it directly. */
  drop(): void {
    this.#letGo();
    this.#end();
  }

  #onFilterEnd(isBroken: boolean): void {
    this.#filterEnd ??= { isBroken };
    if (this.#deps.areHeadersDue()) return;
    this.#finish(isBroken);
  }

  #finish(isBroken: boolean): void {
    if (this.#hasEnded) return;
    this.#flush(true);
    this.#decode(true, (decoder) => decoder.end(isBroken));
    this.#end();
  }

  #take(bytes: Uint8Array): void {
    if (this.#hasEnded) return;
    if (this.#deps.budget?.take(bytes.length) === false) {
      this.#deps.onEvents([{ type: 'opaque', reason: 'too_much_to_read' }]);
      this.drop();
      return;
    }
    this.#taken += bytes.length;
    this.#held.push(bytes);
    this.#heldBytes += bytes.length;
    this.#flush(this.#heldBytes > MAX_HELD_BYTES);
  }

  /** Decodes what was held, once there is a decoder. */
  #flush(isLast: boolean): void {
    const held = this.#held;
    this.#decode(isLast, (decoder) => {
      this.#held = [];
      this.#heldBytes = 0;
      return held.flatMap((bytes) => decoder.push(bytes));
    });
  }

  #decode(isLast: boolean, step: (decoder: Decoder) => DecodedEvent[]): void {
    if (this.#hasEnded) return;
    let events: DecodedEvent[];
    try {
      this.#decoder ??= this.#deps.decoder(isLast);
      if (this.#decoder === null) return;
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
    this.#decoder = null;
    this.#held = [];
    this.#deps.budget?.release(this.#taken);
    this.#deps.onEnd();
  }
}
