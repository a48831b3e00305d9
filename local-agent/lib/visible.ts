/** Text from elsewhere as a person may safely be shown it, on a terminal or before approving. */

/**
 * Control, format, separator and unpaired characters, every space but the plain one, and letters and marks that fonts
 * show as nothing.
 */
const INVISIBLE = /(?![\n\t ])[\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Cn}\p{Z}\p{Default_Ignorable_Code_Point}\u2800]/gu;

/** A text in which nothing is hidden: invisible and bidirectional characters as `\u{…}`. */
export function makeVisible(text: string): string {
  return text.replace(INVISIBLE, (char) => `\\u{${(char.codePointAt(0) ?? 0).toString(16)}}`);
}
