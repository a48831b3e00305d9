/**
 * Guards: the first statements of a batch. Each repeats in SQL what a decision relied upon. When that no longer holds,
 * the guard inserts NULL into a NOT NULL column of the table `guard`, which fails the whole batch; the column's name
 * identifies the guard.
 */
import type { SQL } from 'drizzle-orm';
import { sql } from 'drizzle-orm';
import type { Database, Statement } from './open.ts';

/** The system mode must still have this version. */
export function guardModeVersion(db: Database, modeVersion: number): Statement {
  return db.run(
    sql`INSERT INTO guard (changed) SELECT NULL FROM fence WHERE id = 1 AND mode_version <> ${modeVersion}`,
  );
}

/** The system must not be paused at the moment of the commit. */
export function guardNotPaused(db: Database): Statement {
  return db.run(sql`INSERT INTO guard (system_paused) SELECT NULL FROM fence WHERE id = 1 AND mode = 'paused'`);
}

/** No newer term must have been granted (`stale_term` comes first), and that node must hold this one. */
export function guardLeader(db: Database, nodeId: string, term: number): Statement {
  return db.run(
    sql`INSERT INTO guard (stale_term, not_leader) SELECT CASE WHEN term > ${term} THEN NULL ELSE 0 END, NULL FROM fence
      WHERE id = 1 AND (term <> ${term} OR holder_id IS NOT ${nodeId})`,
  );
}

/** `condition`, an SQL expression, must hold; otherwise the caller reads and decides again. */
export function guardThat(db: Database, condition: SQL): Statement {
  return db.run(sql`INSERT INTO guard (changed) SELECT NULL WHERE NOT (${condition})`);
}

export type Violation = 'stale_term' | 'system_paused' | 'stale_run' | 'not_leader' | 'changed' | 'journal_moved';

/**
 * Which guard failed a batch; `changed` for a unique key that another write took, `journal_moved` when that key was a
 * place in a node's journal or in the chain of people's writes; null for any other error.
 */
export function violationOf(error: unknown): Violation | null {
  for (let cause: unknown = error; cause instanceof Error; cause = cause.cause) {
    const guard = /NOT NULL constraint failed: guard\.(stale_term|system_paused|stale_run|not_leader|changed)/.exec(
      cause.message,
    );
    if (guard) return guard[1] as Violation;
    if (/UNIQUE constraint failed: (journal_blocks\.chain|audit\.chain_seq)/.test(cause.message))
      return 'journal_moved';
    if (/UNIQUE constraint failed/.test(cause.message)) return 'changed';
  }
  return null;
}
