/**
 * The outputs of a reply within its limit, which its instructions share. What is too long is shown by its beginning and
 * its end; the reply says what lies between, and how the assistant reads on. Pure.
 */
import { DELIVERY } from '../../schema/defaults.ts';

/** A failure is reported at the end of an output, so the end gets the larger part. */
const HEAD_PART = 2 / 5;
/** A cut moves to a line break that is at most so near. */
const LINE_REACH = 200;

/** How many characters each output may take: a short one all that it needs, the others equal parts of the rest. */
export function shareOut(lengths: readonly number[], total: number): number[] {
  const shares = lengths.map(() => 0);
  const shortestFirst = lengths.map((length, at) => ({ length, at })).sort((a, b) => a.length - b.length);
  let left = total;
  for (const [n, { length, at }] of shortestFirst.entries()) {
    const share = Math.min(length, Math.floor(left / (lengths.length - n)));
    shares[at] = share;
    left -= share;
  }
  return shares;
}

/** An output by its beginning and its end. */
export interface Shortened {
  head: string;
  tail: string;
  /** Where the part begins that lies between, and how long it is. */
  skipped: { offset: number; chars: number; lines: number };
}

function isInsidePair(text: string, at: number): boolean {
  return /[\ud800-\udbff]/.test(text.charAt(at - 1)) && /[\udc00-\udfff]/.test(text.charAt(at));
}

/** The text cut to `maxChars`; null when all of it fits. */
export function shorten(text: string, maxChars: number): Shortened | null {
  if (text.length <= maxChars) return null;
  let headEnd = Math.floor(maxChars * HEAD_PART);
  let tailStart = text.length - (maxChars - headEnd);
  const lineEnd = headEnd === 0 ? 0 : text.lastIndexOf('\n', headEnd - 1) + 1;
  if (headEnd - lineEnd < Math.min(LINE_REACH, headEnd)) headEnd = lineEnd;
  const lineStart = text.indexOf('\n', tailStart - 1) + 1;
  if (lineStart > 0 && lineStart - tailStart < Math.min(LINE_REACH, text.length - tailStart)) tailStart = lineStart;
  if (isInsidePair(text, headEnd)) headEnd -= 1;
  if (isInsidePair(text, tailStart)) tailStart += 1;
  const between = text.slice(headEnd, tailStart);
  return {
    head: text.slice(0, headEnd),
    tail: text.slice(tailStart),
    skipped: { offset: headEnd, chars: between.length, lines: between.split('\n').length - 1 },
  };
}

/** How the assistant reads on, as it would write the call. */
export function readOnCall(instructionId: string, { offset, chars }: Shortened['skipped']): string {
  const length = Math.min(chars, DELIVERY.output_read_chars);
  return `@conductor::output/read::${JSON.stringify({ instruction_id: instructionId, offset, length })}`;
}
