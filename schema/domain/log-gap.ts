/**
 * A log as text has a line where bytes are missing. That line is no part of the log: a reader that continues a log which
 * broke off counts the bytes that the line names instead of its own.
 */
const BEGIN = '\n[';
const END = ' bytes are not kept here; the node that ran it has them]\n';
const GAP = /\n\[(\d{1,15}) bytes are not kept here; the node that ran it has them\]\n/g;
const MAX_DIGITS = 15;
const MAX_BYTES = BEGIN.length + MAX_DIGITS + END.length;

export function gapLine(bytes: number): string {
  return `${BEGIN}${bytes}${END}`;
}

const PIECE_BYTES = 8 * 1024;

function oneCharEach(bytes: Uint8Array): string {
  let text = '';
  for (let at = 0; at < bytes.length; at += PIECE_BYTES) {
    text += String.fromCharCode(...bytes.subarray(at, at + PIECE_BYTES));
  }
  return text;
}

/**
 * Counts the bytes of a log while its text is read. A step that prints such a line itself is counted wrong, which a reader
 * notices only when the log breaks off behind it.
 */
export class LogPosition {
  #position: number;
  /** The end of the text so far, where such a line may have begun. One character is one byte. */
  #open = '';

  constructor(offset: number) {
    this.#position = offset;
  }

  /** Where the log continues. */
  get value(): number {
    return this.#position + this.#open.length;
  }

  read(bytes: Uint8Array): void {
    const text = this.#open + oneCharEach(bytes);
    let counted = 0;
    for (const gap of text.matchAll(GAP)) {
      this.#position += gap.index - counted + Number(gap[1]);
      counted = gap.index + gap[0].length;
    }
    const begin = text.lastIndexOf(BEGIN);
    const mayGrow = begin >= counted && text.length - begin < MAX_BYTES;
    const open = mayGrow ? begin : text.endsWith('\n') ? Math.max(counted, text.length - 1) : text.length;
    this.#position += open - counted;
    this.#open = text.slice(open);
  }
}
