/** Splits bytes into lines of bounded length. A longer line is left out as a whole, with all that belongs to it. */
import { StringDecoder } from 'node:string_decoder';

export const MAX_LINE_CHARS = 4 * 1024 * 1024;

export class LineSplitter {
  readonly #decoder = new StringDecoder('utf8');
  readonly #onLine: (line: string) => void;
  readonly #maxChars: number;
  #parts: string[] = [];
  #length = 0;
  #isSkipping = false;

  constructor(onLine: (line: string) => void, maxChars: number = MAX_LINE_CHARS) {
    this.#onLine = onLine;
    this.#maxChars = maxChars;
  }

  /** Calls back for each whole line. What follows the last newline waits. */
  push(bytes: Buffer): void {
    const text = this.#decoder.write(bytes);
    let from = 0;
    for (let at = text.indexOf('\n'); at !== -1; at = text.indexOf('\n', from)) {
      this.#add(text.slice(from, at));
      this.#end();
      from = at + 1;
    }
    this.#add(text.slice(from));
  }

  /** Nothing more comes: what follows the last newline is a line. */
  close(): void {
    if (this.#length > 0) this.#end();
  }

  #add(part: string): void {
    this.#length += part.length;
    if (this.#length > this.#maxChars) {
      this.#isSkipping = true;
      this.#parts = [];
    } else if (part !== '' && !this.#isSkipping) this.#parts.push(part);
  }

  #end(): void {
    const line = this.#parts.join('');
    const isWhole = !this.#isSkipping;
    this.#parts = [];
    this.#length = 0;
    this.#isSkipping = false;
    if (isWhole) this.#onLine(line);
  }
}
