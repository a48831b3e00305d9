/**
 * Computes what a patch makes of the files that it names, before anything is written. Parts apply in the order of the
 * patch, a later one to the result of an earlier one; the source of a rename or copy is the file as it was, as in git.
 */
import type { Entry } from '../../host/entry.ts';
import { FileError } from '../../host/roots.ts';
import type { NewEntry } from '../../host/write-file.ts';
import { fromByteText } from './byte-text.ts';
import type { PatchPart } from './parse-patch.ts';
import { PatchError } from './patch-error.ts';
import { LINK_MODE } from './patch-header.ts';
import type { PlaceContext } from './place-hunks.ts';
import { applyPlacements, placeHunks } from './place-hunks.ts';
import type { Placements } from './placements.ts';

const TYPE_BITS = 0o170000;
const EXECUTE = 0o111;
const READ = 0o444;

export interface FoundEntry {
  /** The real path. */
  path: string;
  entry: Entry;
}

/** Reads what is there. `ofLink`: a symbolic link itself. */
export interface PatchedFiles {
  resolve(name: string): string;
  /** The real path of an entry that may not exist yet. */
  realPath(path: string): string;
  read(path: string, options: { ofLink: boolean }): FoundEntry | null;
}

/** What becomes of one path. */
export interface Change {
  path: string;
  before: Entry | null;
  after: NewEntry | null;
}

export interface Plan {
  changes: Change[];
  /** What is done, one line for each part. */
  report: string[];
}

interface State {
  files: PatchedFiles;
  context: PlaceContext;
  changes: Map<string, Change>;
  /** Paths that the patch removes or renames, by which another part may take the name. */
  vacated: ReadonlySet<string>;
  report: string[];
}

function isLinkMode(mode: number | null): boolean {
  return mode !== null && (mode & TYPE_BITS) === LINK_MODE;
}

/** The entry at a path as the parts before have left it. */
function current(state: State, name: string, options: { ofLink: boolean }): FoundEntry | null {
  const found = state.files.read(state.files.resolve(name), options);
  const path = found?.path ?? state.files.realPath(state.files.resolve(name));
  const change = state.changes.get(path);
  if (change === undefined) return found;
  if (change.after === null) return null;
  const { mode = 0o644, owner = { uid: 0, gid: 0 } } = change.after;
  return { path, entry: { ...change.after, mode, owner } };
}

function existing(found: FoundEntry | null, name: string): FoundEntry {
  if (found === null) throw new FileError('not_found', `${name}: not found`);
  return found;
}

/** Throws when the type in the patch is not that of the entry. Without a mode, a patch is about a file. */
function checkType({ oldMode, line }: PatchPart, { type }: Entry, name: string): void {
  if (oldMode === null ? type === 'file' : isLinkMode(oldMode) === (type === 'link')) return;
  const is = type === 'link' ? 'a symbolic link' : 'a regular file';
  const says = isLinkMode(oldMode) ? 'a symbolic link' : 'a regular file';
  throw new PatchError('context_differs', `${name} is ${is}, but line ${line} of the patch is about ${says}`);
}

/** The permissions with the execute bits that a patch asks for; git keeps no others. */
function withMode(mode: number, newMode: number | null): number {
  if (newMode === null) return mode;
  return (newMode & EXECUTE) === 0 ? mode & ~EXECUTE : mode | ((mode & READ) >> 2);
}

async function applyHunks(bytes: Buffer, part: PatchPart, state: State): Promise<{ bytes: Buffer; notes: string }> {
  if (part.hunks.length === 0) return { bytes, notes: '' };
  const placements = await placeHunks(bytes.toString('latin1'), part.hunks, part.path, state.context);
  return { bytes: Buffer.from(applyPlacements(placements), 'latin1'), notes: notesOf(placements) };
}

/**
 * The same for a part that acts on a link itself: without a mode, it is about a link when its hunks fit the link's own
 * text, as in git.
 */
async function checkOwnType(part: PatchPart, entry: Entry, name: string, state: State): Promise<void> {
  const mayBeLink = part.oldMode === null && entry.type === 'link' && part.hunks.length > 0;
  if (mayBeLink && (await fits(entry.bytes, part, state))) return;
  checkType(part, entry, name);
}

async function fits(bytes: Buffer, part: PatchPart, state: State): Promise<boolean> {
  try {
    await applyHunks(bytes, part, state);
    return true;
  } catch (error) {
    if (error instanceof PatchError) return false;
    throw error;
  }
}

/** Which hunks apply at another line than their numbers say. */
function notesOf({ placed }: Placements): string {
  let growth = 0;
  const moved: string[] = [];
  for (const { hunk, start } of placed) {
    const line = start + growth;
    growth += hunk.after.length - hunk.before.length;
    if (hunk.at !== null && hunk.before.length > 0 && hunk.at !== line)
      moved.push(`${hunk.header} at line ${line + 1}`);
  }
  if (moved.length === 0) return '';
  const more = moved.length > 5 ? ` and ${moved.length - 5} more` : '';
  return ` (${moved.slice(0, 5).map(fromByteText).join(', ')}${more})`;
}

function set(state: State, found: { path: string; entry: Entry | null }, after: NewEntry | null): void {
  const before = state.changes.get(found.path);
  state.changes.set(found.path, { path: found.path, before: before ? before.before : found.entry, after });
}

/** The path that a part creates. @throws FileError when something is there */
function freePath(state: State, name: string): string {
  const path = state.files.realPath(state.files.resolve(name));
  const change = state.changes.get(path);
  if (change?.after) throw new PatchError('invalid_patch', `${name} is created twice`);
  if (change === undefined && !state.vacated.has(path) && state.files.read(path, { ofLink: true }) !== null) {
    throw new FileError('exists', `${path} exists already, but the patch creates it`);
  }
  return path;
}

/** Puts an entry at a path where nothing is left. What the patch takes away from there is remembered as it was. */
function create(state: State, path: string, after: NewEntry): void {
  const before = state.changes.get(path)?.before ?? state.files.read(path, { ofLink: true })?.entry ?? null;
  state.changes.set(path, { path, before, after });
}

async function createFile(part: PatchPart, state: State): Promise<void> {
  const path = freePath(state, part.path);
  const { bytes } = await applyHunks(Buffer.alloc(0), part, state);
  const isExecutable = ((part.newMode ?? 0) & EXECUTE) !== 0;
  if (isLinkMode(part.newMode)) create(state, path, { type: 'link', bytes });
  else create(state, path, isExecutable ? { type: 'file', bytes, mode: 0o755 } : { type: 'file', bytes });
  state.report.push(`created ${path}`);
}

async function changeFile(part: PatchPart & { kind: 'change' }, state: State): Promise<void> {
  const found = current(state, part.path, { ofLink: isLinkMode(part.oldMode) });
  if (found === null && part.mayCreate) return createFile(part, state);
  const { path, entry } = existing(found, part.path);
  checkType(part, entry, part.path);
  if (part.newMode !== null && isLinkMode(part.newMode) !== (entry.type === 'link')) {
    throw new PatchError('unsupported_patch', `${part.path}: a file cannot become a symbolic link by its mode alone`);
  }
  const { bytes, notes } = await applyHunks(entry.bytes, part, state);
  const mode = withMode(entry.mode, part.newMode);
  set(state, { path, entry }, { type: entry.type, bytes, mode, owner: entry.owner });
  const bits = mode === entry.mode ? '' : ` (mode ${mode.toString(8).padStart(4, '0')})`;
  state.report.push(`patched ${path}${notes}${bits}`);
}

async function removeFile(part: PatchPart, state: State): Promise<void> {
  const { path, entry } = existing(current(state, part.path, { ofLink: true }), part.path);
  await checkOwnType(part, entry, part.path, state);
  const { bytes } = await applyHunks(entry.bytes, part, state);
  if (bytes.length > 0) {
    const why = 'the patch removes the file, but not all of its content';
    throw new PatchError('context_differs', `${part.path}: ${why}`);
  }
  set(state, { path, entry }, null);
  state.report.push(`removed ${path}`);
}

async function moveFile(part: PatchPart & { kind: 'rename' | 'copy' }, state: State): Promise<void> {
  const { files } = state;
  const source = existing(files.read(files.resolve(part.from), { ofLink: true }), part.from);
  const target = freePath(state, part.path);
  const isPlainMove = part.oldMode === null && part.hunks.length === 0;
  if (!isPlainMove) await checkOwnType(part, source.entry, part.from, state);
  const { type, owner } = source.entry;
  const { bytes, notes } = await applyHunks(source.entry.bytes, part, state);
  const mode = withMode(source.entry.mode, part.newMode);
  create(state, target, { type, bytes, mode, owner });
  if (part.kind === 'rename' && !state.changes.get(source.path)?.after) set(state, source, null);
  state.report.push(`${part.kind === 'rename' ? 'renamed' : 'copied'} ${source.path} to ${target}${notes}`);
}

function applyPart(part: PatchPart, state: State): Promise<void> {
  switch (part.kind) {
    case 'create':
      return createFile(part, state);
    case 'change':
      return changeFile(part, state);
    case 'remove':
      return removeFile(part, state);
    default:
      return moveFile(part, state);
  }
}

/** What the parts make of the files. @throws PatchError or FileError; nothing is written in any case */
export async function planPatch(
  parts: readonly PatchPart[],
  files: PatchedFiles,
  context: PlaceContext,
): Promise<Plan> {
  const leaving = parts.flatMap((part) =>
    part.kind === 'rename' ? [part.from] : part.kind === 'remove' ? [part.path] : [],
  );
  const vacated = new Set(leaving.map((name) => files.realPath(files.resolve(name))));
  const state: State = { files, context, changes: new Map(), vacated, report: [] };
  for (const part of parts) await applyPart(part, state);
  return { changes: [...state.changes.values()], report: state.report };
}
