/**
 * The fence row of D1, which guards every claim: the only thing that objects write to D1. It is raised monotonically and
 * read back in the same transaction. D1 ahead of the object means that the object has lost its state: that is reported, so
 * that the object continues from D1's number.
 */
import type { LeaderTerm } from '../../schema/contracts/leader.ts';
import type { FenceMarks, SystemRecord } from '../../schema/contracts/system.ts';

/** `raised`: D1 has this object's number. `ahead`: D1 has the number `at`, which is not this object's. */
export type FenceOutcome = { status: 'raised' } | { status: 'ahead'; at: number };

interface TermRow {
  term: number;
  holder_id: string | null;
  acquired_at: number | null;
}
interface ModeRow {
  mode: string;
  hold: number;
  mode_version: number;
}

/** Raises the term and inserts its row of history. Throws when D1 fails or has no fence row. */
export async function raiseTerm(db: D1Database, granted: LeaderTerm, now: number): Promise<FenceOutcome> {
  const { term, holder_id, holder_host, acquired_at } = granted;
  const results = await db.batch<TermRow>([
    db
      .prepare('UPDATE fence SET term = ?1, holder_id = ?2, updated_at = ?3 WHERE id = 1 AND term < ?1')
      .bind(term, holder_id, now),
    db
      .prepare(
        `INSERT INTO leader_terms (term, holder_id, holder_host, acquired_at)
         SELECT term, ?2, ?3, ?4 FROM fence WHERE id = 1 AND term = ?1
         ON CONFLICT (term) DO NOTHING`,
      )
      .bind(term, holder_id, holder_host, acquired_at),
    db
      .prepare(
        `SELECT fence.term, t.holder_id, t.acquired_at FROM fence LEFT JOIN leader_terms t ON t.term = ?1
         WHERE fence.id = 1`,
      )
      .bind(term),
  ]);
  const row = results[2]?.results[0];
  if (!row) throw new Error('D1 has no fence row');
  const isOurs = row.term === term && row.holder_id === holder_id && row.acquired_at === acquired_at;
  return isOurs ? { status: 'raised' } : { status: 'ahead', at: row.term };
}

/** Raises mode, hold and version. Throws when D1 fails or has no fence row. */
export async function raiseMode(db: D1Database, record: SystemRecord, now: number): Promise<FenceOutcome> {
  const { mode, version } = record;
  const hold = record.hold ? 1 : 0;
  const results = await db.batch<ModeRow>([
    db
      .prepare(
        'UPDATE fence SET mode = ?1, mode_version = ?2, hold = ?4, updated_at = ?3 WHERE id = 1 AND mode_version < ?2',
      )
      .bind(mode, version, now, hold),
    db.prepare('SELECT mode, mode_version, hold FROM fence WHERE id = 1'),
  ]);
  const row = results[1]?.results[0];
  if (!row) throw new Error('D1 has no fence row');
  const isOurs = row.mode_version === version && row.mode === mode && row.hold === hold;
  return isOurs ? { status: 'raised' } : { status: 'ahead', at: row.mode_version };
}

/** The numbers that D1 has. Throws when D1 fails or has no fence row. */
export async function readFence(db: D1Database): Promise<FenceMarks> {
  const row = await db.prepare('SELECT term, mode_version, epoch FROM fence WHERE id = 1').first<FenceMarks>();
  if (!row) throw new Error('D1 has no fence row');
  return row;
}

/** Raises the term alone. Throws when D1 fails. */
export async function liftTerm(db: D1Database, term: number, now: number): Promise<void> {
  await db.prepare('UPDATE fence SET term = ?1, updated_at = ?2 WHERE id = 1 AND term < ?1').bind(term, now).run();
}
