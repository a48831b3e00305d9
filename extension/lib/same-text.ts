/** Texts as they are compared: only the spelling of line breaks is ignored, or what an editor is known to change. */

/** One spelling of line breaks. */
export function normalizeBreaks(text: string): string {
  return text.replace(/\r\n?/g, '\n');
}

export function isSameText(a: string, b: string): boolean {
  return normalizeBreaks(a) === normalizeBreaks(b);
}

/** What editors are known to change: they escape by backslashes, and change tabs, other white space and blank lines. */
function unaltered(text: string): string {
  return text.replace(/\\/g, '').replace(/\s+/g, ' ').trim();
}

/** Whether one may be what an editor has made of the other. */
export function isAlteredText(a: string, b: string): boolean {
  return unaltered(a) === unaltered(b);
}
