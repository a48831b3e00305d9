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
import { readWholeFile } from './read-file.ts';
import type { Roots } from './roots.ts';
import type { Keep } from './write-file.ts';
import { removeFile, writeWholeFile } from './write-file.ts';

const RETENTION = { records: 500, bytes: 512 * 1024 * 1024 };
const INSTRUCTION_ID = /^[A-Za-z0-9_-]{1,64}$/;
const MANIFEST = 'files.json';

const KeptFileSchema = z.object({
  path: z.string(),
  /** Null when the file did not exist. */
  before: z.object({ file: z.string(), sha256: z.string() }).nullable(),
  /** Null when the instruction removed the file. */
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

  /** Keeps a file before an instruction replaces it by `after` (null: removes it). */
  keeper(instructionId: string, after: Buffer | null): Keep {
    return ({ path, bytes }) => {
      const folder = this.#record(instructionId);
      mkdirSync(folder, { recursive: true, mode: 0o700 });
      const files = this.#files(instructionId);
      const file = `${files.length}.old`;
      if (bytes !== null) writeSynced(join(folder, file), bytes);
      const before = bytes === null ? null : { file, sha256: sha256Hex(bytes) };
      files.push({ path, before, after_sha256: after === null ? null : sha256Hex(after) });
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
    const changed = force ? [] : files.filter((file) => !isUnchanged(file, roots));
    if (changed.length > 0) return { type: 'changed', paths: changed.map(({ path }) => path) };
    for (const { path, before } of [...files].reverse()) {
      if (before === null) {
        if (readWholeFile(roots, path, { anyNames: true }) !== null) removeFile(roots, path);
        continue;
      }
      const bytes = readFileSync(join(this.#record(instructionId), before.file));
      writeWholeFile(roots, path, bytes, { overwrite: true, createParents: true, temporary: newTemporaryName() });
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

/** Whether a file has the content that the instruction wrote, or the content before it when nothing was changed. */
function isUnchanged({ path, before, after_sha256 }: KeptFile, roots: Roots): boolean {
  const now = readWholeFile(roots, path, { anyNames: true });
  const hash = now === null ? null : sha256Hex(now);
  return hash === after_sha256 || hash === (before?.sha256 ?? null);
}
