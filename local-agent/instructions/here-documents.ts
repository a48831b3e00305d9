/**
 * The here-documents that lines of a script open. A `<<` counts in quotes too, because `sh -c '…'` and `"$(cat <<EOF …)"`
 * open one there, unless a script ends the quotes on the same line. So some that are found are none, such as a shift in
 * another language.
 */
import type { TextRange } from './shell-quotes.ts';
import { textRanges } from './shell-quotes.ts';

/** How many may be opened outside of the bodies of others. Looking at each costs time, and no script has that many. */
const MAX_HERE_DOCUMENTS = 256;
/** The operator and its delimiter; not a here-string, and not a shift of a digit. */
const OPERATOR_IN_TEXT = /(?<![<\d(])<<(-?)[ \t]*(?:'([^']+)'|"([^"]+)"|\\?([A-Za-z_][\w.-]*))/g;
/** The operator and the word behind it where the quotes of a script are certain; not a here-string. */
const OPERATOR_IN_SCRIPT = /(?<!<)<<(?!<)(-?)[ \t]*((?:'[^']*'|"[^"]*"|\\.|[^\s;&|<>()'"\\])+)/g;

export interface HereDocument {
  /** The line that opens it, from 0. */
  at: number;
  delimiter: string;
}

export interface OpenHereDocuments {
  open: HereDocument[];
  /** The line that opens one more than are looked at; null when all were. */
  too_many_at: number | null;
}

/** The last line in which each text appears, without the white space around it. */
export type LastLines = ReadonlyMap<string, number>;

export function lastLines(lines: readonly string[]): LastLines {
  return new Map(lines.map((line, index) => [line.trim(), index]));
}

/** Whether a place in the line is inside `((…))`, where `<<` shifts. */
function isArithmetic(line: string, at: number): boolean {
  const opened = line.lastIndexOf('((', at);
  return opened !== -1 && line.indexOf('))', opened) > at;
}

interface Operator {
  delimiter: string;
  strips_tabs: boolean;
}

function* operatorsInText(line: string): Generator<Operator> {
  for (const { index, 1: dash, 2: single, 3: double, 4: plain } of line.matchAll(OPERATOR_IN_TEXT)) {
    if (plain !== undefined && isArithmetic(line, index)) continue;
    yield { delimiter: single ?? double ?? plain ?? '', strips_tabs: dash === '-' };
  }
}

/** `text` are the places of the line that the shell reads as text, at which no operator counts. */
function* operatorsInScript(line: string, text: readonly TextRange[]): Generator<Operator> {
  let next = 0;
  for (const { index, 1: dash, 2: word = '' } of line.matchAll(OPERATOR_IN_SCRIPT)) {
    const delimiter = word.replace(/'([^']*)'|"([^"]*)"|\\(.)/g, '$1$2$3');
    if (delimiter === word && isArithmetic(line, index)) continue;
    while ((text[next]?.end ?? Infinity) <= index) next += 1;
    if ((text[next]?.start ?? Infinity) <= index) continue;
    yield { delimiter, strips_tabs: dash === '-' };
  }
}

/** Finds the lines that end here-documents: the delimiter without indentation, except tabs behind `<<-`. */
class Ends {
  readonly #lines: readonly string[];
  /** The last line of each text, which spares looking for an end that is nowhere. */
  readonly #last: ReadonlyMap<string, number>;

  constructor(lines: readonly string[], readsLine: (line: string) => string) {
    this.#lines = lines.map(readsLine);
    this.#last = new Map(this.#lines.map((line, index) => [line, index]));
  }

  after(at: number, delimiter: string): number | null {
    const text = delimiter.trimEnd();
    return (this.#last.get(text) ?? -1) > at ? this.#lines.indexOf(text, at + 1) : null;
  }
}

/**
 * The here-documents that the lines open and do not end. The body of one that ends is not looked at: the shell reads no
 * operator in it. `skips` says which lines open none. `isScript`: the lines are a whole script, so the quotes in them are
 * those of a shell.
 */
export function openHereDocuments(
  lines: readonly string[],
  { skips = () => false, isScript = false }: { skips?: (at: number) => boolean; isScript?: boolean },
): OpenHereDocuments {
  const ends = new Ends(lines, (line) => line.trimEnd());
  let tabbedEnds: Ends | null = null;
  const open: HereDocument[] = [];
  let count = 0;
  let areQuotesCertain = isScript;
  for (let at = 0; at < lines.length; at += 1) {
    const line = lines[at] ?? '';
    const text = areQuotesCertain ? textRanges(line) : null;
    areQuotesCertain = text !== null;
    if (skips(at) || !line.includes('<<')) continue;
    let end = at;
    for (const { delimiter, strips_tabs } of text === null ? operatorsInText(line) : operatorsInScript(line, text)) {
      count += 1;
      if (count > MAX_HERE_DOCUMENTS) return { open, too_many_at: at };
      if (strips_tabs) tabbedEnds ??= new Ends(lines, (one) => one.trimEnd().replace(/^\t+/, ''));
      const found = (strips_tabs && tabbedEnds ? tabbedEnds : ends).after(end, delimiter);
      if (found === null) open.push({ at, delimiter });
      else end = found;
    }
    at = end;
  }
  return { open, too_many_at: null };
}
