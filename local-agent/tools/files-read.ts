/** `files/read`: a part of a regular file inside the roots, as text or base64. */
import { isUtf8 } from 'node:buffer';
import { INSTRUCTION } from '../../schema/defaults.ts';
import { readFileSlice } from '../host/read-file.ts';
import { FileError } from '../host/roots.ts';
import type { ToolHandler } from './tool.ts';
import { fileOutcome, success } from './tool.ts';

/** Base64 encodes three bytes as four characters. */
const MAX_BASE64_BYTES = Math.floor((INSTRUCTION.max_output_bytes * 3) / 4);

/** The longest character has four bytes: three more on either side show whether a slice cuts one. */
const MAX_CUT_BYTES = 3;

/** The character that contains the byte at `at`, as its bounds; null when the bytes there are no UTF-8. */
function characterAround(bytes: Buffer, at: number): { from: number; to: number } | null {
  const isContinuation = (place: number) => ((bytes[place] ?? 0) & 0xc0) === 0x80;
  let from = at;
  while (from > 0 && at - from < MAX_CUT_BYTES && isContinuation(from)) from -= 1;
  const first = bytes[from] ?? 0;
  const to = from + (first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : first >= 0xc0 ? 2 : 1);
  return to > at && isUtf8(bytes.subarray(from, to)) ? { from, to } : null;
}

/** From `from` to `to` without the character that is cut at either end. A byte of no character is kept. */
function wholeCharacters(bytes: Buffer, from: number, to: number): { start: number; end: number } {
  const first = from > 0 && from < bytes.length ? characterAround(bytes, from) : null;
  const last = to > 0 && to < bytes.length ? characterAround(bytes, to) : null;
  const start = first && first.from < from ? first.to : from;
  const end = last && last.from < to ? last.from : to;
  return { start, end: Math.max(start, end) };
}

function decode(bytes: Buffer, path: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw new FileError('not_utf8', `${path} is not UTF-8 text; read it with encoding base64`);
  }
}

export const readFile: ToolHandler<'conductor::files/read'> = async (params, { roots, redact }) => {
  try {
    const base64 = params.encoding === 'base64';
    const limit = base64 ? MAX_BASE64_BYTES : INSTRUCTION.max_output_bytes;
    const offset = params.offset ?? 0;
    const length = Math.min(params.length ?? limit, limit);
    // Read with a margin, so that a secret is found of which the slice has a part only, and a character that it cuts.
    const margin = Math.max(redact.marginBytes, MAX_CUT_BYTES);
    const from = Math.min(offset, margin);
    const range = { offset: offset - from, length: from + length + margin };
    const { bytes, size } = readFileSlice(roots, roots.resolve(params.path, params.cwd), range);
    const to = Math.min(bytes.length, from + length);
    const requested = Math.min(params.length ?? size, Math.max(0, size - offset));
    const { start, end } = base64 ? { start: from, end: to } : wholeCharacters(bytes, from, to);
    const part = redact.part(bytes, start, end);
    const output = base64 ? part.toString('base64') : decode(part, params.path);
    return success(output, to - from < requested);
  } catch (error) {
    return fileOutcome(error);
  }
};
