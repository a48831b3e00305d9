/**
 * Puts a backup into a new root: unpacked beside it, compared with its manifest, and then moved into its place. Until
 * that move nothing of the root exists, and after it everything does.
 */
import { existsSync, readdirSync, readFileSync, renameSync, rmdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { checkValue, firstIssueText } from '../../schema/contracts/issues.ts';
import { configPathOf, edgeStateOf, restoredPath } from '../config/root-files.ts';
import { makePrivateFolder } from '../host/own-files.ts';
import type { Unpacked } from './archive.ts';
import { ArchiveError, unpack } from './archive.ts';
import { BackupError } from './make-backup.ts';
import type { Manifest } from './manifest.ts';
import { ManifestSchema } from './manifest.ts';
import type { RestoredConfig } from './restored-config.ts';
import { restoredConfig } from './restored-config.ts';

export interface RestoreOptions {
  archive: string;
  root: string;
}

export interface RestoreResult {
  root: string;
  made_at: string;
  version: string;
  node_id: string | null;
  files: number;
  /** Whether the edge is in it: its first start then quarantines what was in flight. */
  has_edge: boolean;
  /** Where `config.toml` had the state, which is in the folder `state` of the new root now; null when it did not say. */
  former_state_dir: string | null;
}

function readManifest({ manifest }: Unpacked): Manifest {
  let json: unknown = null;
  try {
    json = JSON.parse(manifest);
  } catch {
    throw new ArchiveError('it has no manifest');
  }
  const checked = checkValue(ManifestSchema, json);
  if (!checked.success) throw new ArchiveError(firstIssueText(checked.error, 'the manifest'));
  return checked.data;
}

/** @throws ArchiveError unless the files are exactly those of the manifest */
function requireWhole(manifest: Manifest, { files }: Unpacked): void {
  for (const { path, bytes, sha256 } of manifest.files) {
    const found = files.get(path);
    if (found === undefined) throw new ArchiveError(`${path} is missing`);
    if (found.bytes !== bytes || found.sha256 !== sha256)
      throw new ArchiveError(`${path} is damaged: its checksum differs`);
  }
  const known = new Set(manifest.files.map(({ path }) => path));
  const extra = [...files.keys()].find((path) => !known.has(path));
  if (extra !== undefined) throw new ArchiveError(`${extra} is not in its manifest`);
}

/**
 * Without this the restored system would run on the state that the other root still has, or on none.
 *
 * @throws ArchiveError when the file cannot be read
 */
function keepStateInRoot(folder: string): string | null {
  const path = configPathOf(folder);
  if (!existsSync(path)) return null;
  let changed: RestoredConfig | null = null;
  try {
    changed = restoredConfig(readFileSync(path, 'utf8'));
  } catch {
    throw new ArchiveError('its config.toml is no TOML');
  }
  if (changed === null) throw new ArchiveError('its config.toml sets state_dir in a way that a restore cannot change');
  if (changed.stateDir !== null) writeFileSync(path, changed.text);
  return changed.stateDir;
}

const isAllowed = (path: string): boolean => ManifestSchema.shape.files.element.shape.path.safeParse(path).success;

/** @throws BackupError when the root is in use or the archive is not whole; nothing has changed then */
export function restoreBackup({ archive, root }: RestoreOptions): RestoreResult {
  if (!existsSync(archive)) throw new BackupError(`there is no file ${archive}`);
  if (existsSync(root) && readdirSync(root).length > 0) {
    throw new BackupError(
      `${root} is not empty: a backup is put into a new root only. Name an empty folder with --root, or stop its system and move it away`,
    );
  }
  makePrivateFolder(dirname(root));
  const folder = `${root}.restoring`;
  if (existsSync(folder)) {
    throw new BackupError(
      `${folder} is there: another restore runs, or one was interrupted. If none runs, remove it and try again`,
    );
  }
  makePrivateFolder(folder);
  try {
    const unpacked = unpack(archive, folder, isAllowed);
    const manifest = readManifest(unpacked);
    requireWhole(manifest, unpacked);
    const former_state_dir = keepStateInRoot(folder);
    const has_edge = existsSync(edgeStateOf(folder));
    // The first start finds it, and quarantines what the databases show as in flight.
    if (has_edge) writeFileSync(restoredPath(folder), `${manifest.made_at}\n`, { mode: 0o600 });
    if (existsSync(root)) rmdirSync(root);
    renameSync(folder, root);
    const { made_at, version, node_id, files } = manifest;
    return { root, made_at, version, node_id, files: files.length, has_edge, former_state_dir };
  } catch (error) {
    rmSync(folder, { recursive: true, force: true });
    if (error instanceof ArchiveError)
      throw new BackupError(`${archive} is no whole backup: ${error.message}. Nothing was changed`);
    throw error;
  }
}
