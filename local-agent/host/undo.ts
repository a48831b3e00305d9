/**
 * Copies of the files that tools have replaced, so that a person can restore them. A record is on disk before its change,
 * so a crash in between leaves a record of a change that did not happen, never a change without a record. When there are
 * too many records the oldest are removed.
 */
import {
  closeSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { isMissing } from '../lib/errno.ts';
import { sha256Hex } from '../lib/hash.ts';
import { holdsOnly, isFolder } from './emptied-folder.ts';
import type { Entry } from './entry.ts';
import { readEntry } from './entry.ts';
import { inPlace } from './place.ts';
import type { Roots } from './roots.ts';
import { FileError } from './roots.ts';
import type { Keep, NewEntry } from './write-file.ts';
import { removeEntry, writeEntry } from './write-file.ts';

const RETENTION = { records: 500, bytes: 512 * 1024 * 1024 };
const INSTRUCTION_ID = /^[A-Za-z0-9_-]{1,64}$/;
const MANIFEST = 'files.json';
const THE_NAME_ITSELF = { anyNames: true, ofLink: true };

/** A record of an earlier version names no type, mode and owner. */
const KeptEntrySchema = z.object({
  file: z.string(),
  sha256: z.string(),
  type: z.enum(['file', 'link']).default('file'),
  mode: z.number().int().optional(),
  owner: z.object({ uid: z.number().int(), gid: z.number().int() }).optional(),
});
const KeptFileSchema = z.object({
  path: z.string(),
  /** Null when nothing existed there. */
  before: KeptEntrySchema.nullable(),
  /** Of the content, or of the target of a link; null when the instruction removed it. */
  after_sha256: z.string().nullable(),
});
type KeptFile = z.infer<typeof KeptFileSchema>;

export type UndoOutcome =
  | { type: 'undone'; paths: string[] }
  | { type: 'unknown' }
  /** These files have changed since the instruction. */
  | { type: 'changed'; paths: string[] };

function writeSynced(path: string, bytes: Buffer): void {
  const fd = openSync(path, 'w', 0o600);
  try {
    let written = 0;
    while (written < bytes.length) written += writeSync(fd, bytes, written);
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}

export class UndoStore {
  readonly #folder: string;

  /** @param folder a folder of the agent, which no tool can reach */
  constructor(folder: string) {
    this.#folder = folder;
  }

  /** Keeps files before an instruction changes them. */
  keeper(instructionId: string): Keep {
    return ({ path, entry, after }) => {
      const folder = this.#record(instructionId);
      mkdirSync(folder, { recursive: true, mode: 0o700 });
      const files = this.#files(instructionId);
      const file = `${files.length}.old`;
      if (entry !== null) writeSynced(join(folder, file), entry.bytes);
      files.push({ path, before: keptEntry(file, entry), after_sha256: after === null ? null : sha256Hex(after) });
      writeSynced(join(folder, MANIFEST), Buffer.from(JSON.stringify(files)));
      this.#prune(folder);
    };
  }

  /**
   * Restores what an instruction has replaced, newest change first. Changes nothing when a file has neither the content
   * that the instruction wrote nor the content before it, unless `force` is set.
   */
  undo(
    instructionId: string,
    roots: Roots,
    { force, newTemporaryName }: { force: boolean; newTemporaryName: () => string },
  ): UndoOutcome {
    const files = INSTRUCTION_ID.test(instructionId) ? this.#files(instructionId) : [];
    if (files.length === 0) return { type: 'unknown' };
    const made = new Set(files.flatMap(({ path, after_sha256 }) => (after_sha256 === null ? [] : [path])));
    const changed = force ? [] : files.filter((file) => !isUnchanged(file, made, roots));
    if (changed.length > 0) return { type: 'changed', paths: changed.map(({ path }) => path) };
    for (const { path, before } of [...files].reverse()) {
      if (before === null) {
        if (readEntry(roots, path, THE_NAME_ITSELF) !== null) removeEntry(roots, path, { restores: true });
        continue;
      }
      const entry: NewEntry = {
        type: before.type,
        bytes: readFileSync(join(this.#record(instructionId), before.file)),
      };
      if (before.mode !== undefined) entry.mode = before.mode;
      if (before.owner !== undefined) entry.owner = before.owner;
      const temporary = newTemporaryName();
      const options = { overwrite: true, createParents: true, ofLink: true, restores: true, temporary };
      writeEntry(roots, path, entry, options);
    }
    rmSync(this.#record(instructionId), { recursive: true });
    return { type: 'undone', paths: files.map(({ path }) => path) };
  }

  #record(instructionId: string): string {
    if (!INSTRUCTION_ID.test(instructionId)) throw new Error(`${instructionId} is not an instruction id`);
    return join(this.#folder, instructionId);
  }

  #files(instructionId: string): KeptFile[] {
    try {
      const text = readFileSync(join(this.#record(instructionId), MANIFEST), 'utf8');
      return z.array(KeptFileSchema).parse(JSON.parse(text));
    } catch (error) {
      if (isMissing(error)) return [];
      throw error;
    }
  }

  #prune(current: string): void {
    const records = readdirSync(this.#folder).map((name) => {
      const folder = join(this.#folder, name);
      const bytes = readdirSync(folder).reduce((sum, file) => sum + statSync(join(folder, file)).size, 0);
      return { folder, bytes, at: statSync(folder).mtimeMs };
    });
    records.sort((a, b) => b.at - a.at);
    let bytes = 0;
    for (const [place, record] of records.entries()) {
      bytes += record.bytes;
      if (record.folder === current || (place < RETENTION.records && bytes <= RETENTION.bytes)) continue;
      rmSync(record.folder, { recursive: true, force: true });
    }
  }
}

function keptEntry(file: string, entry: Entry | null): KeptFile['before'] {
  if (entry === null) return null;
  const { type, bytes, mode, owner } = entry;
  return { file, sha256: sha256Hex(bytes), type, mode, owner };
}

/**
 * Whether a file has the content that the instruction wrote, or the content before it when nothing was changed. In the
 * place of a file that the instruction removed, `made` may have needed a folder.
 */
function isUnchanged({ path, before, after_sha256 }: KeptFile, made: ReadonlySet<string>, roots: Roots): boolean {
  try {
    const now = readEntry(roots, path, THE_NAME_ITSELF)?.entry ?? null;
    const hash = now === null ? null : sha256Hex(now.bytes);
    return hash === after_sha256 || hash === (before?.sha256 ?? null);
  } catch (error) {
    if (!(error instanceof FileError && error.code === 'not_a_file')) throw error;
    const options = { createParents: false, ofLink: true };
    return after_sha256 === null && inPlace(roots, path, options, (at) => isFolder(at) && holdsOnly(at, made, roots));
  }
}
