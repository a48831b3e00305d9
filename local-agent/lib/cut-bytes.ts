/** Parts of a text in UTF-8 by their size, without a cut character. */

function isContinuation(byte: number | undefined): boolean {
  return ((byte ?? 0) & 0xc0) === 0x80;
}

/** The first `maxBytes`. A character that the bytes themselves end within is dropped too. */
export function cutEnd(bytes: Buffer, maxBytes: number): string {
  let end = Math.min(bytes.length, maxBytes);
  if (end < bytes.length) while (end > 0 && isContinuation(bytes[end])) end -= 1;
  else end -= incompleteAtEnd(bytes);
  return bytes.toString('utf8', 0, end);
}

/** The last `maxBytes`. A character that the bytes themselves begin within is dropped too. */
export function cutStart(bytes: Buffer, maxBytes: number): string {
  let start = Math.max(0, bytes.length - maxBytes);
  const limit = Math.min(bytes.length, start + 3);
  while (start < limit && isContinuation(bytes[start])) start += 1;
  return bytes.toString('utf8', start);
}

/** How many bytes at the end begin a character whose rest is missing. */
function incompleteAtEnd(bytes: Buffer): number {
  for (let back = 1; back <= Math.min(3, bytes.length); back++) {
    const byte = bytes[bytes.length - back] ?? 0;
    if (isContinuation(byte)) continue;
    const width = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : byte >= 0xc0 ? 2 : 1;
    return width > back ? back : 0;
  }
  return 0;
}
