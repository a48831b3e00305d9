/**
 * The regular files below a folder, in the order of their names, without leaving the roots: each folder is entered
 * through its open parent, links are not followed, and what belongs to the agent is not entered. Gives way to other
 * work now and then, so that a large tree does not hold the agent up.
 */
import { closeSync, constants, fstatSync, openSync, readdirSync, readSync } from 'node:fs';
import { dirname, join, relative, sep } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { Folder, realPathOf } from './folder.ts';
import { guarded, realIfThere } from './fs.ts';
import type { IgnoreRules } from './ignore-files.ts';
import { isIgnored, rulesIn } from './ignore-files.ts';
import type { Roots } from './roots.ts';
import { FileError } from './roots.ts';

const MAX_DEPTH = 64;
const ENTRIES_PER_TURN = 200;
/** Of a tree that is larger the rest is not looked at. */
const MAX_ENTRIES = 200_000;

export interface WalkedFile {
  /** Relative to where the walk began, with `/`. */
  path: string;
  /** Its text; null when it is larger than that, not text, or may not be read. Valid until the walk goes on. */
  text(maxBytes: number): string | null;
}

export interface WalkOptions {
  includeIgnored: boolean;
  signal: AbortSignal;
}

interface Walk extends WalkOptions {
  roots: Roots;
  start: string;
  left: number;
}

/** Rules of the folders above, as far as the roots go, outermost first. */
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
    // Gone, unreadable, the agent's own, or no text: nothing to be shown of it.
    return null;
  } finally {
    if (fd !== null) closeSync(fd);
  }
}

/** Null when it is gone, may not be read, or belongs to the agent. */
function enter(folder: Folder, name: string, roots: Roots): Folder | null {
  try {
    return folder.enter(name, roots);
  } catch {
    return null;
  }
}

async function* below(
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
    walk.left -= 1;
    if (walk.left % ENTRIES_PER_TURN === 0) await setImmediate();
    if (walk.left < 0 || signal.aborted) return;
    const { name } = entry;
    const path = join(folder.path, name);
    const isFolder = entry.isDirectory();
    if (!isFolder && !entry.isFile()) continue;
    if (!includeIgnored && (name === '.git' || isIgnored(path, isFolder, rules))) continue;
    if (!isFolder) {
      const shown = relative(start, path).split(sep).join('/');
      yield { path: shown, text: (maxBytes) => readText(folder, name, roots, maxBytes) };
      continue;
    }
    const inner = depth < MAX_DEPTH ? enter(folder, name, roots) : null;
    if (inner === null) continue;
    try {
      yield* below(inner, rules, depth + 1, walk);
    } finally {
      inner.close();
    }
  }
}

function openStart(path: string, roots: Roots): Folder {
  return guarded(path, () => {
    const real = realIfThere(path);
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
    yield* below(folder, rules, 0, { ...options, roots, start: folder.path, left: MAX_ENTRIES });
  } finally {
    folder.close();
  }
}
