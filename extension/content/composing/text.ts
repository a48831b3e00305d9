/** Long texts, cut for an editor. Pure. */

const isHighSurrogate = (unit: number): boolean => unit >= 0xd800 && unit <= 0xdbff;

/** Parts of at most `maxChars` UTF-16 units (null: one part) that never end within a character. */
export function chunksOf(text: string, maxChars: number | null): string[] {
  if (maxChars === null || text.length <= maxChars) return [text];
  const size = Math.max(2, maxChars);
  const chunks: string[] = [];
  for (let start = 0; start < text.length; ) {
    let end = Math.min(start + size, text.length);
    if (end < text.length && isHighSurrogate(text.charCodeAt(end - 1))) end -= 1;
    chunks.push(text.slice(start, end));
    start = end;
  }
  return chunks;
}
