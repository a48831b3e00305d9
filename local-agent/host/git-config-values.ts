/** Values in a configuration file of Git, by the syntax of git-config(1), which the name of a file may need. */

/** A longer value names no file. */
const MAX_VALUE_CHARS = 4_096;
const ESCAPED: Readonly<Record<string, string>> = { n: '\n', t: '\t', b: '\b', '\n': '' };

/** The value that begins there: quoted parts, escapes and continued lines are as Git reads them. */
function valueAt(text: string, start: number): string {
  let value = '';
  let isQuoted = false;
  for (let at = start; at < text.length && value.length < MAX_VALUE_CHARS; at++) {
    const char = text.charAt(at);
    if (char === '\n' || (!isQuoted && (char === '#' || char === ';'))) break;
    if (char === '"') {
      isQuoted = !isQuoted;
    } else if (char === '\\') {
      at += 1;
      value += ESCAPED[text.charAt(at)] ?? text.charAt(at);
    } else {
      value += char;
    }
  }
  return value.trim();
}

/** Every value of a setting of that name, in any section. */
export function configValues(text: string, name: string): string[] {
  const lines = text.replaceAll('\r\n', '\n');
  const found = lines.matchAll(new RegExp(`\\b${name}[ \\t]*=`, 'gi'));
  return Array.from(found, (match) => valueAt(lines, match.index + match[0].length));
}
