/** Makes text safe to show to a person, on a terminal or before an approval. */

/**
 * Control, format, separator and unpaired characters, every space except the plain one, and letters and marks that fonts
 * render as nothing.
 */
const INVISIBLE = /(?![\n\t ])[\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Cn}\p{Z}\p{Default_Ignorable_Code_Point}\u2800]/gu;

/** The text with invisible and bidirectional characters as `\u{…}`. */
export function makeVisible(text: string): string {
  return text.replace(INVISIBLE, (char) => `\\u{${(char.codePointAt(0) ?? 0).toString(16)}}`);
}
