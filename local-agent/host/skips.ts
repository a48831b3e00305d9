/** What a walk or a search passed over, and why. It is reported, so that no result means more than it says. */
import { MAX_PATH_LEVELS } from './path-levels.ts';

/** The reasons in the order in which they are reported, with the words for them. */
const REASONS = {
  ignored: 'left out by ignore files (include_ignored shows them)',
  ignore_file: 'ignore files that could not be used completely',
  too_large: 'over the size limit of a search (files/read shows parts)',
  binary: 'binary, with a NUL byte',
  not_utf8: 'not UTF-8 text (files/read with encoding base64 shows them)',
  hard_linked: 'with other names (hard links), which may lie outside the roots',
  link: 'symbolic links, which are not followed',
  special: 'neither file nor folder',
  protected: 'protected, belonging to the agent or to Git',
  unreadable: 'not readable, or gone meanwhile',
  bad_name: 'with a name that is not UTF-8',
  too_deep: `deeper than paths may be (${MAX_PATH_LEVELS} levels)`,
  slow: 'where the regular expression took too much time or memory',
} as const;
export type SkipReason = keyof typeof REASONS;

const MAX_NAMES = 3;

interface Skipped {
  count: number;
  names: string[];
}

/** A path on one line. One with a control character or a quote at its start is written as a JSON string. */
export function onOneLine(path: string): string {
  return /^"|[\p{Cc}\u2028\u2029]/u.test(path) ? JSON.stringify(path) : path;
}

export class Skips {
  readonly #skipped = new Map<SkipReason, Skipped>();
  #endedAfter: number | null = null;

  add(reason: SkipReason, path: string): void {
    const skipped = this.#skipped.get(reason) ?? { count: 0, names: [] };
    skipped.count += 1;
    if (skipped.names.length < MAX_NAMES) skipped.names.push(path);
    this.#skipped.set(reason, skipped);
  }

  /** The walk ended after so many entries. */
  endEarly(entries: number): void {
    this.#endedAfter = entries;
  }

  /** Whether there may be more files than were looked at. */
  get endedEarly(): boolean {
    return this.#endedAfter !== null;
  }

  /** One line for each reason, such as `[skipped: 2 binary, with a NUL byte: a.png, b.png]`. */
  lines(): string[] {
    const early = `[ended after ${this.#endedAfter} files and folders; name a folder below with cwd for the rest]`;
    const skips = (Object.keys(REASONS) as SkipReason[]).flatMap((reason) => {
      const skipped = this.#skipped.get(reason);
      if (!skipped) return [];
      const { count, names } = skipped;
      const more = count > names.length ? ', …' : '';
      return [`[skipped: ${count} ${REASONS[reason]}: ${names.map(onOneLine).join(', ')}${more}]`];
    });
    return this.endedEarly ? [...skips, early] : skips;
  }
}
