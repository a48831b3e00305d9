/**
 * Which places of a line of a script the shell reads as text: those in quotes that begin and end on the line, and those of
 * a comment. An operator there opens no here-document whose body follows the line, not even for a shell that gets the
 * quoted text as its script. What depends on more than the line is not certain, and then nothing counts as text.
 */

/** Places from `start` to before `end`. */
export interface TextRange {
  start: number;
  end: number;
}

/** Beginnings of what is not followed here: commands inside double quotes, older substitutions, quotes of one shell only. */
const NOT_FOLLOWED = /`|\$'|\$"/;
const BEFORE_COMMENT = /[\s;&|(]/;

/** The end of the double quotes that begin at `start`; -1 when they stay open or hold a command. */
function endOfDouble(line: string, start: number): number {
  for (let at = start + 1; at < line.length; at += 1) {
    const char = line.charAt(at);
    if (char === '"') return at;
    if (char === '\\') at += 1;
    else if (char === '$' && /[({]/.test(line.charAt(at + 1))) return -1;
  }
  return -1;
}

function isEscaped(ranges: readonly TextRange[], at: number): boolean {
  return ranges.at(-1)?.end === at + 1;
}

/** The ranges of a line that begins outside of quotes; null when it is not certain, or does not end outside of quotes. */
export function textRanges(line: string): TextRange[] | null {
  if (NOT_FOLLOWED.test(line)) return null;
  const ranges: TextRange[] = [];
  for (let at = 0; at < line.length; at += 1) {
    const char = line.charAt(at);
    if (char === '\\') {
      // At the end of the line the next line continues this one.
      if (at + 1 === line.length) return null;
      ranges.push({ start: at, end: at + 2 });
      at += 1;
    } else if (char === '#' && (at === 0 || (BEFORE_COMMENT.test(line.charAt(at - 1)) && !isEscaped(ranges, at - 1)))) {
      return [...ranges, { start: at, end: line.length }];
    } else if (char === "'" || char === '"') {
      const end = char === "'" ? line.indexOf("'", at + 1) : endOfDouble(line, at);
      if (end < 0) return null;
      ranges.push({ start: at, end });
      at = end;
    }
  }
  return ranges;
}
