/**
 * Patches and files are handled as byte text: a string in which each character is one byte. So a file in any encoding is
 * patched without a change to its other lines, as git does.
 */

export function toByteText(text: string): string {
  return Buffer.from(text, 'utf8').toString('latin1');
}

export function fromByteText(text: string): string {
  return Buffer.from(text, 'latin1').toString('utf8');
}

const MAX_SHOWN_CHARS = 120;

/** One line as it is shown in an error: quoted, and cut when it is long. */
export function showLine(line: string): string {
  const text = fromByteText(line.replace(/\n$/, ''));
  return JSON.stringify(text.length > MAX_SHOWN_CHARS ? `${text.slice(0, MAX_SHOWN_CHARS).toWellFormed()}…` : text);
}
