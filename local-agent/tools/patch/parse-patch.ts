/** Parses a unified diff as git reads it: what is done to which files. Text around the parts is passed over. */
import { fromByteText, toByteText } from './byte-text.ts';
import type { Cursor, Hunk } from './parse-hunk.ts';
import { isFileHeader, isHunkHeader, parseHunk } from './parse-hunk.ts';
import { invalidPatch, PatchError, unsupportedPatch } from './patch-error.ts';
import type { Header } from './patch-header.ts';
import { parseFileHeader, parseGitHeader } from './patch-header.ts';
import type { Names } from './patch-names.ts';
import { assertRelative, nameBesideBackup, toPath, withoutPrefixes } from './patch-names.ts';

interface PartBase {
  /** The line of its header in the patch, from 1. */
  line: number;
  hunks: Hunk[];
  /** The type and permissions that the file has before, when the patch says so. */
  oldMode: number | null;
  /** The type and permissions that the file gets; null: those that it has. */
  newMode: number | null;
}
/** What the patch does to one file. */
export type PatchPart = PartBase &
  (
    | { kind: 'change'; path: string; mayCreate: boolean }
    | { kind: 'create' | 'remove'; path: string }
    | { kind: 'rename' | 'copy'; from: string; path: string }
  );

const HELP =
  'a part begins with the lines "--- a/path" and "+++ b/path" (or /dev/null), then hunks follow: "@@ -1,3 +1,4 @@" and lines that begin with a blank, - or +';

function parseHunks(cursor: Cursor): Hunk[] {
  const hunks: Hunk[] = [];
  while (isHunkHeader(cursor.lines[cursor.at]) || cursor.lines[cursor.at]?.startsWith('@@@')) {
    hunks.push(parseHunk(cursor));
  }
  const next = cursor.lines[cursor.at] ?? '';
  if (hunks.length === 0 && /^(?:GIT binary patch|Binary files .* differ)\r?$/.test(next)) {
    throw unsupportedPatch(cursor.at + 1, 'a binary diff cannot be applied; files/write takes content in base64');
  }
  return hunks;
}

function namesOf({ line, shared, moved, ...written }: Header): Names {
  for (const one of [written.from, written.to]) assertRelative(one, line);
  if (moved) {
    const { from, to } = withoutPrefixes({ from: written.from?.name ?? null, to: written.to?.name ?? null });
    // Of a line that is missing, the line --- or +++ has the name.
    const names = { from: moved.from ?? from, to: moved.to ?? to };
    if (names.from === null || names.to === null) throw invalidPatch(line, `a ${moved.kind} without both names`);
    const other = [from !== names.from && from, to !== names.to && to].find((name) => typeof name === 'string');
    if (other)
      throw invalidPatch(line, `the ${moved.kind} is of other names than ${JSON.stringify(fromByteText(other))}`);
    return names;
  }
  const { from, to } = written;
  if (shared === null && (from === null || to === null)) throw invalidPatch(line, `the part names no file; ${HELP}`);
  // Git's first line names the file as well.
  const names =
    from && to
      ? withoutPrefixes({ from: from.name, to: to.name })
      : {
          from: from ? withoutPrefixes({ from: from.name, to: null }).from : shared,
          to: to ? withoutPrefixes({ from: null, to: to.name }).to : shared,
        };
  const [first, second] = [names.from, names.to];
  if (first === null && second === null) throw invalidPatch(line, 'the part is of /dev/null only');
  if (first === null || second === null || first === second) return names;
  const name = from?.name && to?.name ? nameBesideBackup(from.name, to.name) : null;
  if (name !== null) return { from: name, to: name };
  const both = `${JSON.stringify(first)} and ${JSON.stringify(second)}`;
  throw invalidPatch(line, `the names ${both} differ; a rename has the lines "rename from" and "rename to"`);
}

function toPart(header: Header, hunks: Hunk[]): PatchPart {
  const { line, oldMode, newMode, moved } = header;
  const { from, to } = namesOf(header);
  const base = { line, hunks, oldMode, newMode };
  const path = toPath(to ?? from ?? '', line);
  const shared = header.shared === null || moved ? path : toPath(header.shared, line);
  if (shared !== path) {
    const both = `the first line names ${JSON.stringify(shared)} and the lines below it ${JSON.stringify(path)}`;
    throw invalidPatch(line, `${both}; two parts may have run together`);
  }
  if (moved) return { ...base, kind: moved.kind, from: toPath(from ?? '', line), path };
  const lines = (side: 'before' | 'after') => hunks.reduce((sum, hunk) => sum + hunk[side].length, 0);
  if (header.isNew || from === null || (header.from?.isAbsent && lines('before') === 0)) {
    if (lines('before') > 0) throw invalidPatch(line, `${path} is to be created, but a hunk has old lines`);
    return { ...base, kind: 'create', path };
  }
  if (header.isRemoved || to === null || (header.to?.isAbsent && lines('after') === 0)) {
    if (lines('after') > 0) throw invalidPatch(line, `${path} is to be removed, but a hunk has lines that remain`);
    return { ...base, kind: 'remove', path };
  }
  if (hunks.length === 0 && (newMode === null || newMode === oldMode)) {
    throw invalidPatch(line, `the part of ${path} changes nothing; ${HELP}`);
  }
  return { ...base, kind: 'change', path, mayCreate: hunks.length === 1 && lines('before') === 0 };
}

/** The parts of a patch, in its order. @throws PatchError */
export function parsePatch(patch: string): PatchPart[] {
  const lines = toByteText(patch).split('\n');
  if (lines.at(-1) === '') lines.pop();
  const cursor: Cursor = { lines, at: 0 };
  const parts: PatchPart[] = [];
  while (cursor.at < lines.length) {
    const line = lines[cursor.at] ?? '';
    const at = cursor.at + 1;
    if (line.startsWith('diff --git ')) parts.push(toPart(parseGitHeader(cursor), parseHunks(cursor)));
    else if (isFileHeader(cursor, cursor.at)) {
      const header = parseFileHeader(cursor);
      const hunks = parseHunks(cursor);
      if (hunks.length === 0) throw invalidPatch(at, 'no hunk (a line that begins with @@) follows --- and +++');
      parts.push(toPart(header, hunks));
    } else if (/^@@ -\d/.test(line)) throw invalidPatch(at, 'a hunk without the names of a file (---, +++) before it');
    else if (/^Binary files .* differ\r?$/.test(line)) throw unsupportedPatch(at, 'a binary diff cannot be applied');
    else cursor.at += 1;
  }
  if (parts.length === 0) throw new PatchError('invalid_patch', `this is no unified diff: ${HELP}`);
  return parts;
}
