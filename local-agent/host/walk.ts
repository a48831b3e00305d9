/**
 * Walks the regular files below a folder in the order of their names, without leaving the roots: each folder is entered
 * through its open parent, links are not followed, and the agent's own folders are not entered. What is passed over is
 * reported. The walk works in short turns, so that a large tree does not block the agent.
 */
import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';
import { opendir } from 'node:fs/promises';
import { dirname, join, relative, sep } from 'node:path';
import type { Turns } from '../lib/turns.ts';
import { sortInTurns } from '../lib/turns.ts';
import { Folder, realPathOf } from './folder.ts';
import type { FolderRules } from './ignore-files.ts';
import { isIgnored, rulesIn } from './ignore-files.ts';
import { MAX_PATH_LEVELS, pathLevels } from './path-levels.ts';
import { asFileOperation, notFound, realPathIfExists } from './place.ts';
import type { Roots } from './roots.ts';
import { FileError } from './roots.ts';
import type { SkipReason, Skips } from './skips.ts';

/** The walk ends after this many entries. */
const MAX_ENTRIES = 200_000;
/** Entries that are read from a folder at once. */
const READ_AT_ONCE = 1_024;

export interface WalkedFile {
  /** Relative to the start of the walk, separated by `/`. */
  path: string;
  /** The text of the file, or why it cannot be had. Call it before the walk continues. */
  text(maxBytes: number): { text: string } | { skipped: SkipReason };
}

export interface WalkOptions {
  includeIgnored: boolean;
  signal: AbortSignal;
  turns: Turns;
  skips: Skips;
  /** Whether the walk enters a folder, by its path relative to the start. */
  enters: (path: string) => boolean;
}

interface Walk extends WalkOptions {
  roots: Roots;
  start: string;
  entriesLeft: number;
}

interface Entry {
  name: string;
  kind: 'file' | 'folder' | 'link' | 'special';
}

/** The path of an entry below the start of the walk. */
function pathBelow(start: string, path: string): string {
  return relative(start, path).split(sep).join('/');
}

/** The rules of the parent folders inside the roots, outermost first. */
function rulesAbove(folder: string, walk: Walk): FolderRules[] {
  const parent = dirname(folder);
  if (parent === folder) return [];
  let opened: Folder;
  try {
    walk.roots.admit(parent);
    opened = Folder.open(parent, walk.roots);
  } catch {
    return [];
  }
  try {
    return [...rulesAbove(parent, walk), ...rulesOf(opened, walk)];
  } finally {
    opened.close();
  }
}

/** The rules of one folder; none when it has neither rules nor a repository. */
function rulesOf(folder: Folder, walk: Walk): FolderRules[] {
  const rules = rulesIn(folder, (file, why) =>
    walk.skips.add('ignore_file', `${pathBelow(walk.start, file)} (${why})`),
  );
  const isEmpty = rules.ignore.length + rules.gitignore.length + rules.exclude.length === 0;
  return isEmpty && !rules.isRepository ? [] : [rules];
}

function skipReasonOf(error: unknown): SkipReason {
  if (!(error instanceof FileError)) return 'unreadable';
  if (error.code === 'invalid_path') return 'too_deep';
  return error.code === 'path_protected' ? 'protected' : 'unreadable';
}

function readText(folder: Folder, name: string, roots: Roots, maxBytes: number): ReturnType<WalkedFile['text']> {
  let fd: number | null = null;
  try {
    fd = openSync(folder.at(name), constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
    const found = fstatSync(fd);
    if (!found.isFile()) return { skipped: 'special' };
    if (found.nlink > 1) return { skipped: 'hard_linked' };
    if (found.size > maxBytes) return { skipped: 'too_large' };
    roots.admit(realPathOf(fd, join(folder.path, name)));
    const bytes = Buffer.alloc(found.size);
    const read = bytes.subarray(0, readSync(fd, bytes, 0, bytes.length, 0));
    if (read.includes(0)) return { skipped: 'binary' };
    try {
      return { text: new TextDecoder('utf-8', { fatal: true }).decode(read) };
    } catch {
      return { skipped: 'not_utf8' };
    }
  } catch (error) {
    return { skipped: skipReasonOf(error) };
  } finally {
    if (fd !== null) closeSync(fd);
  }
}

/** The entries of a folder in the order of their names, at most one more than the walk may still take. */
async function entriesOf(folder: Folder, walk: Walk): Promise<Entry[]> {
  const kinds = new Map<string, Entry['kind']>();
  for await (const entry of await opendir(folder.at(''), { bufferSize: READ_AT_ONCE })) {
    if (kinds.size > walk.entriesLeft || walk.signal.aborted) break;
    const other = entry.isSymbolicLink() ? 'link' : 'special';
    kinds.set(entry.name, entry.isDirectory() ? 'folder' : entry.isFile() ? 'file' : other);
    await walk.turns.pass();
  }
  const names = await sortInTurns([...kinds.keys()], walk.turns);
  return names.map((name) => ({ name, kind: kinds.get(name) ?? 'special' }));
}

/** Why an entry is passed over; null when it is not. Git's own folder is never part of a tree. */
async function passedOver(
  { name, kind }: Entry,
  folder: Folder,
  rules: readonly FolderRules[],
  walk: Walk,
): Promise<SkipReason | null> {
  const entry = { folder: folder.path, name, isFolder: kind === 'folder' };
  if (!walk.includeIgnored && (await isIgnored(entry, rules, walk.turns))) return 'ignored';
  if (kind === 'link' || kind === 'special') return kind;
  return name.includes('\ufffd') ? 'bad_name' : null;
}

async function* walkFolder(folder: Folder, above: readonly FolderRules[], walk: Walk): AsyncGenerator<WalkedFile> {
  const { roots, start, skips } = walk;
  const rules = walk.includeIgnored ? [] : [...above, ...rulesOf(folder, walk)];
  for (const entry of await entriesOf(folder, walk)) {
    walk.entriesLeft -= 1;
    await walk.turns.pass();
    if (walk.entriesLeft < 0 || walk.signal.aborted) return;
    const { name, kind } = entry;
    const path = pathBelow(start, join(folder.path, name));
    if (name === '.git') continue;
    if (kind === 'folder' && !walk.enters(path)) continue;
    const reason = await passedOver(entry, folder, rules, walk);
    if (reason !== null) skips.add(reason, kind === 'folder' ? `${path}/` : path);
    else if (kind === 'file') yield { path, text: (maxBytes) => readText(folder, name, roots, maxBytes) };
    else yield* enterFolder(folder, name, rules, walk);
  }
}

async function* enterFolder(
  parent: Folder,
  name: string,
  rules: readonly FolderRules[],
  walk: Walk,
): AsyncGenerator<WalkedFile> {
  const path = `${pathBelow(walk.start, join(parent.path, name))}/`;
  // No tool could use the path of a file in it.
  if (pathLevels(parent.path) + 1 >= MAX_PATH_LEVELS) {
    walk.skips.add('too_deep', path);
    return;
  }
  let folder: Folder;
  try {
    folder = parent.enter(name, walk.roots);
  } catch (error) {
    walk.skips.add(skipReasonOf(error), path);
    return;
  }
  try {
    yield* walkFolder(folder, rules, walk);
  } finally {
    folder.close();
  }
}

function openStart(path: string, roots: Roots): Folder {
  return asFileOperation(path, () => {
    const real = realPathIfExists(path);
    roots.admit(real ?? path);
    if (real === null) throw notFound(path);
    return Folder.open(real, roots);
  });
}

/**
 * Walks the files below the folder at `path`, which itself is never left out: who names a folder wants to see it.
 *
 * @throws FileError when it is no folder inside the roots
 */
export async function* walkFiles(roots: Roots, path: string, options: WalkOptions): AsyncGenerator<WalkedFile, void> {
  const folder = openStart(path, roots);
  const walk: Walk = { ...options, roots, start: folder.path, entriesLeft: MAX_ENTRIES };
  try {
    yield* walkFolder(folder, options.includeIgnored ? [] : rulesAbove(folder.path, walk), walk);
    if (walk.entriesLeft < 0) options.skips.endEarly(MAX_ENTRIES);
  } finally {
    folder.close();
  }
}
