/** Parses the lines before the hunks of a part: names, modes, and what git says about the file. */
import type { Cursor } from './parse-hunk.ts';
import { unsupportedPatch } from './patch-error.ts';
import type { HeaderName } from './patch-names.ts';
import { headerName, plainName, sharedName } from './patch-names.ts';

/** The mode of a symbolic link. */
export const LINK_MODE = 0o120000;
const FILE_MODE = 0o100000;
const SUBMODULE_MODE = 0o160000;
const TYPE_BITS = 0o170000;

/** The lines before the hunks of a part. */
export interface Header {
  line: number;
  shared: string | null;
  from: HeaderName | null;
  to: HeaderName | null;
  moved: { kind: 'rename' | 'copy'; from?: string; to?: string } | null;
  isNew: boolean;
  isRemoved: boolean;
  oldMode: number | null;
  newMode: number | null;
}

function emptyHeader(line: number): Header {
  const names = { shared: null, from: null, to: null, moved: null };
  return { line, ...names, isNew: false, isRemoved: false, oldMode: null, newMode: null };
}

function modeOf(digits: string | undefined, line: number): number {
  const mode = Number.parseInt(digits ?? '', 8);
  const type = mode & TYPE_BITS;
  if (type === LINK_MODE || type === FILE_MODE) return mode;
  const what = type === SUBMODULE_MODE ? 'a submodule' : 'neither a file nor a symbolic link';
  throw unsupportedPatch(line, `the mode ${digits} is that of ${what}, which cannot be patched`);
}

/** The lines between `diff --git` and the hunks, and what each says by the part that is captured. */
const GIT_LINES: readonly [RegExp, (captured: string, header: Header, line: number) => Partial<Header>][] = [
  [/^old mode (\d+)$/, (mode, _header, line) => ({ oldMode: modeOf(mode, line) })],
  [/^new mode (\d+)$/, (mode, _header, line) => ({ newMode: modeOf(mode, line) })],
  [/^deleted file mode (\d+)$/, (mode, _header, line) => ({ isRemoved: true, oldMode: modeOf(mode, line) })],
  [/^new file mode (\d+)$/, (mode, _header, line) => ({ isNew: true, newMode: modeOf(mode, line) })],
  [/^rename (?:from|old) (.+)$/, (name, { moved }) => ({ moved: { ...moved, kind: 'rename', from: plainName(name) } })],
  [/^rename (?:to|new) (.+)$/, (name, { moved }) => ({ moved: { ...moved, kind: 'rename', to: plainName(name) } })],
  [/^copy from (.+)$/, (name, { moved }) => ({ moved: { ...moved, kind: 'copy', from: plainName(name) } })],
  [/^copy to (.+)$/, (name, { moved }) => ({ moved: { ...moved, kind: 'copy', to: plainName(name) } })],
  [/^index [0-9a-f]+\.\.[0-9a-f]+ (\d+)$/, (mode, _header, line) => ({ oldMode: modeOf(mode, line) })],
  [/^(index [0-9a-f]+\.\.[0-9a-f]+|(?:dis)?similarity index .*)$/, () => ({})],
  [/^--- (.*)$/, (name) => ({ from: headerName(name) })],
  [/^\+\+\+ (.*)$/, (name) => ({ to: headerName(name) })],
];

export function parseGitHeader(cursor: Cursor): Header {
  const header = emptyHeader(cursor.at + 1);
  const first = (cursor.lines[cursor.at] ?? '').replace(/\r$/, '');
  header.shared = sharedName(first.slice('diff --git '.length));
  for (cursor.at += 1; cursor.at < cursor.lines.length; cursor.at += 1) {
    const line = (cursor.lines[cursor.at] ?? '').replace(/\r$/, '');
    const said = GIT_LINES.find(([pattern]) => pattern.test(line));
    if (said === undefined) break;
    const [pattern, read] = said;
    Object.assign(header, read(pattern.exec(line)?.[1] ?? '', header, cursor.at + 1));
  }
  return header;
}

/** A header of two lines, `---` and `+++`. */
export function parseFileHeader(cursor: Cursor): Header {
  const header = emptyHeader(cursor.at + 1);
  header.from = headerName((cursor.lines[cursor.at] ?? '').slice(4));
  header.to = headerName((cursor.lines[cursor.at + 1] ?? '').slice(4));
  cursor.at += 2;
  return header;
}
