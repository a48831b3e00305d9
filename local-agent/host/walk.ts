/**
 * Walks the regular files below a folder in the order of their names, without leaving the roots: each folder is entered
 * through its open parent, links are not followed, and the agent's own folders are not entered. The walk yields to the
 * event loop at regular intervals, so that a large tree does not block the agent.
 */
import { closeSync, constants, fstatSync, openSync, readdirSync, readSync } from 'node:fs';
import { dirname, join, relative, sep } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { Folder, realPathOf } from './folder.ts';
import type { IgnoreRules } from './ignore-files.ts';
import { isIgnored, rulesIn } from './ignore-files.ts';
import { asFileOperation, realPathIfExists } from './place.ts';
import type { Roots } from './roots.ts';
import { FileError } from './roots.ts';

const MAX_DEPTH = 64;
const ENTRIES_PER_TURN = 200;
/** The walk ends after this many entries. */
const MAX_ENTRIES = 200_000;

export interface WalkedFile {
  /** Relative to the start of the walk, separated by `/`. */
  path: string;
  /** The text; null when it exceeds `maxBytes`, is not text or may not be read. Call it before the walk continues. */
  text(maxBytes: number): string | null;
}

export interface WalkOptions {
  includeIgnored: boolean;
  signal: AbortSignal;
}

interface Walk extends WalkOptions {
  roots: Roots;
  start: string;
  entriesLeft: number;
}

/** The rules of the parent folders inside the roots, outermost first. */
function rulesAbove(folder: string, roots: Roots): IgnoreRules[] {
  const parent = dirname(folder);
  if (parent === folder) return [];
  try {
    roots.admit(parent);
  } catch {
    return [];
  }
  const own = rulesIn(parent, roots);
  return [...rulesAbove(parent, roots), ...(own ? [own] : [])];
}

function readText(folder: Folder, name: string, roots: Roots, maxBytes: number): string | null {
  let fd: number | null = null;
  try {
    fd = openSync(folder.at(name), constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
    const found = fstatSync(fd);
    if (!found.isFile() || found.nlink > 1 || found.size > maxBytes) return null;
    roots.admit(realPathOf(fd, join(folder.path, name)));
    const bytes = Buffer.alloc(found.size);
    const read = bytes.subarray(0, readSync(fd, bytes, 0, bytes.length, 0));
    return read.includes(0) ? null : new TextDecoder('utf-8', { fatal: true }).decode(read);
  } catch {
    // The file is gone, unreadable, owned by the agent, or not text.
    return null;
  } finally {
    if (fd !== null) closeSync(fd);
  }
}

/** Opens a folder in `folder`; null when it is gone, may not be read or belongs to the agent. */
function tryEnter(folder: Folder, name: string, roots: Roots): Folder | null {
  try {
    return folder.enter(name, roots);
  } catch {
    return null;
  }
}

async function* walkFolder(
  folder: Folder,
  above: readonly IgnoreRules[],
  depth: number,
  walk: Walk,
): AsyncGenerator<WalkedFile> {
  const { roots, start, includeIgnored, signal } = walk;
  const own = includeIgnored ? null : rulesIn(folder.path, roots);
  const rules = own ? [...above, own] : above;
  const entries = readdirSync(folder.at(''), { withFileTypes: true });
  for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
    walk.entriesLeft -= 1;
    if (walk.entriesLeft % ENTRIES_PER_TURN === 0) await setImmediate();
    if (walk.entriesLeft < 0 || signal.aborted) return;
    const { name } = entry;
    const path = join(folder.path, name);
    const isFolder = entry.isDirectory();
    if (!isFolder && !entry.isFile()) continue;
    if (!includeIgnored && (name === '.git' || isIgnored(path, isFolder, rules))) continue;
    if (!isFolder) {
      const relativePath = relative(start, path).split(sep).join('/');
      yield { path: relativePath, text: (maxBytes) => readText(folder, name, roots, maxBytes) };
      continue;
    }
    const inner = depth < MAX_DEPTH ? tryEnter(folder, name, roots) : null;
    if (inner === null) continue;
    try {
      yield* walkFolder(inner, rules, depth + 1, walk);
    } finally {
      inner.close();
    }
  }
}

function openStart(path: string, roots: Roots): Folder {
  return asFileOperation(path, () => {
    const real = realPathIfExists(path);
    roots.admit(real ?? path);
    if (real === null) throw new FileError('not_found', `${path}: not found`);
    return Folder.open(real, roots);
  });
}

/**
 * Walks the files below the folder at `path`.
 *
 * @throws FileError when it is no folder inside the roots
 */
export async function* walkFiles(roots: Roots, path: string, options: WalkOptions): AsyncGenerator<WalkedFile> {
  const folder = openStart(path, roots);
  try {
    const rules = options.includeIgnored ? [] : rulesAbove(folder.path, roots);
    yield* walkFolder(folder, rules, 0, { ...options, roots, start: folder.path, entriesLeft: MAX_ENTRIES });
  } finally {
    folder.close();
  }
}
