/**
 * A short key of a text, by which the same text is found again without keeping it (FNV-1a over two halves of 32 bits). It
 * is no protection against someone who makes texts with equal keys.
 */
export function textKey(text: string): string {
  let a = 0x811c9dc5;
  let b = 0xc9dc5811;
  for (let at = 0; at < text.length; at += 1) {
    const unit = text.charCodeAt(at);
    a = Math.imul(a ^ unit, 0x01000193);
    b = Math.imul(b ^ (unit + at), 0x01000193);
  }
  return `${text.length.toString(36)}-${(a >>> 0).toString(36)}-${(b >>> 0).toString(36)}`;
}
