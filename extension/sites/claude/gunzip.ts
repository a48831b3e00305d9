/** Unpacks gzip under a bound: what would become larger, or is malformed or cut off, gives null. */
import { Gunzip } from 'fflate';

/** So little input that what it becomes at once stays small: gzip grows at most about a thousandfold. */
const SLICE_BYTES = 4096;
/** Input that gives no output is a header without end. A stored block may take 64 KiB before it gives any. */
const MAX_SILENT_BYTES = 256 * 1024;

export function isGzip(bytes: Uint8Array): boolean {
  return bytes[0] === 0x1f && bytes[1] === 0x8b;
}

export function gunzipBounded(bytes: Uint8Array, maxBytes: number): Uint8Array | null {
  const parts: Uint8Array[] = [];
  let length = 0;
  const stream = new Gunzip((part) => {
    length += part.length;
    if (part.length > 0) parts.push(part);
  });
  try {
    for (let at = 0, silentSince = 0, before = 0; at < bytes.length; at += SLICE_BYTES) {
      stream.push(bytes.subarray(at, at + SLICE_BYTES), at + SLICE_BYTES >= bytes.length);
      if (length > maxBytes || at - silentSince > MAX_SILENT_BYTES) return null;
      if (length > before) silentSince = at;
      before = length;
    }
  } catch {
    return null;
  }
  if (bytes.length === 0) return null;
  const whole = new Uint8Array(length);
  let filled = 0;
  for (const part of parts) {
    whole.set(part, filled);
    filled += part.length;
  }
  return whole;
}
