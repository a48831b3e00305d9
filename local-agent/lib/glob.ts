/**
 * Globs: `*`, `?`, `[a-z]`, `{one,other}`, and `**` over folders; a backslash takes the meaning from the character behind
 * it. Parentheses are plain characters. A set in brackets also matches its own text, since frameworks name files and
 * folders so: `app/[slug]/page.tsx` finds the folder `[slug]`.
 */
import { readCharSet } from './char-set.ts';
import type { Accepts, Step } from './wildcard.ts';
import { anyChar, anyFolders, canStartWith, literally, matchesAll, withinName } from './wildcard.ts';

export interface Glob {
  matches(text: string): boolean;
  /** Whether it matches a text that starts with this one and is longer. */
  canStartWith(text: string): boolean;
  /** Whether it is a plain text without wildcards. */
  isPlain: boolean;
}

export interface GlobOptions {
  /** What `*`, `?` and sets match: names between slashes, or any characters. */
  of: 'paths' | 'words';
}

/** The positions of each `{` that has a `}` and a comma between them: its commas, and its `}` last. */
function findBraces(pattern: string): Map<number, number[]> {
  const found = new Map<number, number[]>();
  const open: { at: number; marks: number[] }[] = [];
  for (let i = 0; i < pattern.length; i++) {
    const char = pattern[i];
    if (char === '\\') i += 1;
    else if (char === '[') i = (readCharSet(pattern, i + 1)?.end ?? i + 1) - 1;
    else if (char === '{') open.push({ at: i, marks: [] });
    else if (char === ',') open.at(-1)?.marks.push(i);
    else if (char === '}') {
      const brace = open.pop();
      if (brace && brace.marks.length > 0) found.set(brace.at, [...brace.marks, i]);
    }
  }
  return found;
}

class GlobCompiler {
  readonly #pattern: string;
  readonly #braces: ReadonlyMap<number, number[]>;
  readonly #inName: Accepts;
  readonly steps: Step[] = [];

  constructor(pattern: string, { of }: GlobOptions) {
    this.#pattern = pattern;
    this.#braces = findBraces(pattern);
    this.#inName = of === 'paths' ? withinName : anyChar;
  }

  /** Adds the steps of the pattern from `from` to `end`. */
  compile(from = 0, end = this.#pattern.length): Step[] {
    for (let i = from; i < end; ) i = this.#add(i);
    return this.steps;
  }

  /** Adds the steps of what starts at `i`. Returns the position behind it. */
  #add(i: number): number {
    const char = this.#pattern.codePointAt(i) ?? 0;
    switch (String.fromCodePoint(char)) {
      case '*':
        return this.#addStars(i);
      case '?':
        this.steps.push({ kind: 'one', accepts: this.#inName });
        return i + 1;
      case '[':
        return this.#addSet(i);
      case '{':
        return this.#addAlternatives(i);
      case '\\':
        return this.#addLiteral(i + 1 < this.#pattern.length ? i + 1 : i);
      default:
        return this.#addLiteral(i);
    }
  }

  #addLiteral(i: number): number {
    const char = this.#pattern.codePointAt(i) ?? 0;
    this.steps.push({ kind: 'char', char });
    return i + (char > 0xffff ? 2 : 1);
  }

  #addStars(i: number): number {
    const pattern = this.#pattern;
    let end = i;
    while (pattern[end] === '*') end += 1;
    const startsName = i === 0 || /[/{,]/.test(pattern[i - 1] ?? '');
    const isFolders = end - i > 1 && startsName && this.#inName === withinName;
    if (isFolders && pattern[end] === '/') {
      this.steps.push(...anyFolders(this.steps.length));
      return end + 1;
    }
    const crosses = isFolders && (end === pattern.length || /[,}]/.test(pattern[end] ?? ''));
    this.steps.push({ kind: 'many', accepts: crosses ? anyChar : this.#inName });
    return end;
  }

  #addSet(i: number): number {
    const set = readCharSet(this.#pattern, i + 1);
    if (set === null) return this.#addLiteral(i);
    const { accepts } = set;
    const inName = this.#inName;
    const text = literally(this.#pattern.slice(i, set.end));
    const at = this.steps.length;
    this.steps.push(
      { kind: 'branch', to: [at + 1, at + 3] },
      { kind: 'one', accepts: (char) => inName(char) && accepts(char) },
      { kind: 'branch', to: [at + 3 + text.length] },
      ...text,
    );
    return set.end;
  }

  #addAlternatives(i: number): number {
    const marks = this.#braces.get(i);
    if (marks === undefined) return this.#addLiteral(i);
    const starts: number[] = [];
    const ends: number[] = [];
    this.steps.push({ kind: 'branch', to: starts });
    let from = i + 1;
    for (const mark of marks) {
      starts.push(this.steps.length);
      this.compile(from, mark);
      // The end is known when all alternatives are compiled; until then every branch shares this list.
      this.steps.push({ kind: 'branch', to: ends });
      from = mark + 1;
    }
    ends.push(this.steps.length);
    return from;
  }
}

/** Compiles a glob. Every text is one; unbalanced brackets and braces are plain characters. */
export function compileGlob(pattern: string, options: GlobOptions): Glob {
  const steps = new GlobCompiler(pattern, options).compile();
  return {
    matches: (text) => matchesAll(steps, text),
    canStartWith: (text) => canStartWith(steps, text),
    isPlain: steps.every((step) => step.kind === 'char'),
  };
}
