/** Texts as they are compared: only the spelling of line breaks is ignored. */

/** One spelling of line breaks. */
export function normalizeBreaks(text: string): string {
  return text.replace(/\r\n?/g, '\n');
}

export function isSameText(a: string, b: string): boolean {
  return normalizeBreaks(a) === normalizeBreaks(b);
}
