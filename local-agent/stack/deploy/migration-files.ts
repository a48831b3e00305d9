/** The migrations of this checkout, which must be committed before a database gets them. */
import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { StepError } from './step-error.ts';

const FOLDER = 'schema/migrations';
const GIT_MS = 30_000;

export function migrationFiles(folder: string): string[] {
  return readdirSync(join(folder, FOLDER))
    .filter((name) => name.endsWith('.sql'))
    .sort();
}

/** Those that are not committed as they are. Of a folder without Git, such as a release: none. */
export function changedMigrations(folder: string): string[] {
  const args = ['status', '--porcelain', '--', FOLDER];
  const git = spawnSync('git', args, { cwd: folder, encoding: 'utf8', timeout: GIT_MS });
  const lines = (git.status === 0 ? git.stdout : '').split('\n');
  return lines.filter((line) => line !== '').map((line) => line.slice(3));
}

/**
 * A migration that is not committed may still change, and a database that has it can never be brought in step with the
 * committed one.
 *
 * @throws StepError
 */
export function requireCommitted(changed: readonly string[]): void {
  if (changed.length === 0) return;
  throw new StepError(
    `${FOLDER} has changes that are not committed: ${changed.join(', ')}`,
    'a database keeps what was applied, so a migration may not change after a deploy',
    'commit them, or undo them with git restore',
  );
}
