/** `files/read`: a part of a regular file inside the roots, as text or base64. */
import { INSTRUCTION } from '../../schema/defaults.ts';
import { readFileSlice } from '../host/read-file.ts';
import { FileError } from '../host/roots.ts';
import type { ToolHandler } from './tool.ts';
import { fileOutcome, success } from './tool.ts';

/** Base64 encodes three bytes as four characters. */
const MAX_BASE64_BYTES = Math.floor((INSTRUCTION.max_output_bytes * 3) / 4);

/** The slice without a character that it cuts at either end. */
function wholeCharacters(bytes: Buffer): Buffer {
  const isContinuation = (at: number) => ((bytes[at] ?? 0) & 0xc0) === 0x80;
  let from = 0;
  while (from < Math.min(3, bytes.length) && isContinuation(from)) from += 1;
  let lead = bytes.length - 1;
  while (lead > bytes.length - 4 && lead >= from && isContinuation(lead)) lead -= 1;
  const first = bytes[lead] ?? 0;
  const width = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : first >= 0xc0 ? 2 : 1;
  return bytes.subarray(from, lead >= from && lead + width > bytes.length ? lead : bytes.length);
}

function decode(bytes: Buffer, path: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(wholeCharacters(bytes));
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
    const { bytes, size } = readFileSlice(roots, roots.resolve(params.path, params.cwd), { offset, length });
    const requested = Math.min(params.length ?? size, Math.max(0, size - offset));
    // Each byte becomes one character, so that a secret is found before the bytes are encoded.
    const output = base64
      ? Buffer.from(redact(bytes.toString('latin1')), 'latin1').toString('base64')
      : redact(decode(bytes, params.path));
    return success(output, bytes.length < requested);
  } catch (error) {
    return fileOutcome(error);
  }
};
