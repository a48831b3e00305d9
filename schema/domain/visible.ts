/**
 * Makes text safe to show to a person: on a terminal, on a page, before an approval. The functions replace characters by
 * `\u{…}`, so a text that was made visible stays as it is.
 */

/**
 * Control, format, separator and unpaired characters, every space except the plain one, and letters and marks that fonts
 * render as nothing.
 */
const INVISIBLE = /(?![\n\t ])[\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Cn}\p{Z}\p{Default_Ignorable_Code_Point}\u2800]/gu;

function escapeOf(char: string): string {
  return `\\u{${(char.codePointAt(0) ?? 0).toString(16)}}`;
}

/** The text with invisible and bidirectional characters as `\u{…}`. */
export function makeVisible(text: string): string {
  return text.replace(INVISIBLE, escapeOf);
}

const BREAKS = /[\n\t]/g;

/** The text visible and on one line, for a cell or a field: no part of it can pass for another row or column. */
export function makeVisibleLine(text: string): string {
  return makeVisible(text).replace(BREAKS, escapeOf);
}

/** The value as JSON in which no character is invisible. It parses to the same value. */
export function visibleJson(value: unknown, indent = 0): string {
  const escapeUnits = (char: string) =>
    Array.from({ length: char.length }, (_, at) => `\\u${char.charCodeAt(at).toString(16).padStart(4, '0')}`).join('');
  return JSON.stringify(value, null, indent).replace(INVISIBLE, escapeUnits);
}

/** Marks that are drawn over the letter before them, of the blocks that no script needs. */
const OVERLAYS = /[\u0300-\u036f\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f]|(?<=\p{M}{3})\p{M}/gu;
/** Characters that are drawn like a mark of ASCII and have no compatibility form that says so. */
const LIKE_ASCII_MARKS =
  /[\u02b9-\u02bd\u02d0\u037e\u05c0\u05c3\u1735\u2010\u2011\u2044\u2212\u2215-\u2217\u2236\u2223\u29f8\ua789]/gu;
/** Letters of other scripts that are drawn like Latin ones. */
const LIKE_LATIN =
  /[\u0391\u0392\u0395-\u0397\u0399\u039a\u039c\u039d\u039f\u03a1\u03a4\u03a5\u03a7\u03b1\u03b9\u03bd\u03bf\u03c1\u03c5\u0405\u0406\u0408\u0410\u0412\u0415\u041a\u041c-\u041e\u0420-\u0423\u0425\u0430\u0435\u043e\u0440\u0441\u0443\u0445\u0455\u0456\u0458\u04bb\u04cf\u0501\u051b\u051d\u0578\u057d\u0570\u0585\u0581]/gu;
const OTHER_SCRIPT = /[\p{Script=Greek}\p{Script=Cyrillic}\p{Script=Armenian}]/u;
const OTHER_SCRIPTS = /[\p{Script=Greek}\p{Script=Cyrillic}\p{Script=Armenian}]/gu;
const WORD = /[\p{L}\p{N}\p{M}_]+/gu;
const LATIN = /\p{Script=Latin}/u;
const COMPATIBLE = /[^\p{ASCII}]/gu;
const ONE_ASCII = /^[\x21-\x7e]$/;
/** A run of blanks that can push text out of sight. Indentation is shorter. */
const BLANKS = /[ \t]{41,}/g;
const BLANK_LINES = /\n(?:[ \t]*\n){10,}/g;

/** Whether a line has letters of those scripts that are not drawn like Latin ones: then they are text in that script. */
function isInOtherScript(line: string): boolean {
  return OTHER_SCRIPT.test(line.replace(LIKE_LATIN, '').replace(WORD, (word) => (LATIN.test(word) ? '' : word)));
}

function markLetters(line: string): string {
  const isOther = isInOtherScript(line);
  return line.replace(WORD, (word) => {
    if (LATIN.test(word)) return word.replace(OTHER_SCRIPTS, escapeOf);
    return isOther ? word : word.replace(LIKE_LATIN, escapeOf);
  });
}

/**
 * The exact text for an approval: also with look-alikes of ASCII, overlaid marks and long runs of blanks as `\u{…}`, which
 * would show a person something else than what runs.
 */
export function makeExact(text: string): string {
  return makeVisible(text)
    .replace(COMPATIBLE, (char) => (ONE_ASCII.test(char.normalize('NFKC')) ? escapeOf(char) : char))
    .replace(LIKE_ASCII_MARKS, escapeOf)
    .replace(OVERLAYS, escapeOf)
    .split('\n')
    .map(markLetters)
    .join('\n')
    .replace(BLANK_LINES, (run) => `\n\\u{a}×${run.split('\n').length - 2}\n`)
    .replace(BLANKS, (run) => `${escapeOf(run[0] ?? ' ')}×${run.length}`);
}

/** The exact text on one line, for a path or a name in an approval. */
export function makeExactLine(text: string): string {
  return makeExact(text).replace(BREAKS, escapeOf);
}
