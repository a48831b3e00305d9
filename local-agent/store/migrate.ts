/**
 * Brings the tables of the agent's file to this version. Steps are an append-only list: one that has shipped is never
 * edited, moved or removed, and the file keeps the id and the SHA-256 of each step that it has run. So a file of a newer
 * version is refused, and so is one whose steps are not the beginning of the list.
 */
import type { DatabaseSync } from 'node:sqlite';
import { z } from 'zod';
import { sha256Hex } from '../lib/hash.ts';

export interface Migration {
  /** Unique in the list. */
  id: string;
  sql: string;
}

/** The file was written by a newer version. */
export class StoreTooNewError extends Error {
  override readonly name = 'StoreTooNewError';
}
/** A step that the file has run was edited, moved or removed. */
export class MigrationChangedError extends Error {
  override readonly name = 'MigrationChangedError';
}

const VersionRow = z.object({ user_version: z.number().int() });
const StepRow = z.object({ id: z.string(), hash: z.string() });

/**
 * Runs the steps that the file at `path` has not run, each in one transaction.
 *
 * @throws StoreTooNewError, MigrationChangedError; nothing has run then.
 */
export function migrate(db: DatabaseSync, path: string, steps: readonly Migration[]): void {
  const { user_version: done } = VersionRow.parse(db.prepare('PRAGMA user_version').get());
  if (done > steps.length) {
    const versions = `step ${done}, this version knows ${steps.length}`;
    throw new StoreTooNewError(`${path} was written by a newer version (${versions}); upgrade the conductor`);
  }
  db.exec(
    'CREATE TABLE IF NOT EXISTS migrations (step INTEGER PRIMARY KEY, id TEXT UNIQUE, hash TEXT NOT NULL) STRICT',
  );
  const insert = db.prepare('INSERT INTO migrations (step, id, hash) VALUES (?, ?, ?)');
  const note = (step: number, { id, sql }: Migration) => insert.run(step, id, sha256Hex(sql));
  const noted = db.prepare('SELECT id, hash FROM migrations ORDER BY step').all();
  requireSameBeginning(
    noted.map((row) => StepRow.parse(row)),
    steps,
    path,
  );
  // A file from before the ids were kept: what it has run is the beginning of the list.
  for (const [index, step] of steps.slice(0, done).entries()) if (index >= noted.length) note(index + 1, step);
  for (const [index, step] of steps.entries()) {
    if (index < done) continue;
    db.exec(`BEGIN IMMEDIATE; ${step.sql}; PRAGMA user_version = ${index + 1}`);
    note(index + 1, step);
    db.exec('COMMIT');
  }
}

function requireSameBeginning(noted: z.infer<typeof StepRow>[], steps: readonly Migration[], path: string): void {
  for (const [index, { id, hash }] of noted.entries()) {
    const step = steps[index];
    if (step?.id === id && sha256Hex(step.sql) === hash) continue;
    const now = step === undefined ? 'is gone' : step.id === id ? 'was edited' : `is ${step.id} now`;
    throw new MigrationChangedError(
      `step ${index + 1} of ${path} ran as ${id}, which ${now}; steps are only ever added to the end of the list`,
    );
  }
}
