/** Writes of notices: what a look has decided, and the outcome of a try. Each says in SQL what it relies upon. */
import { sql } from 'drizzle-orm';
import type { NoticeDecision, NoticeRecord } from '../../schema/domain/person-notice.ts';
import { approvalExpiresAt, endTry } from '../../schema/domain/person-notice.ts';
import { insertEvents } from '../db/events.ts';
import type { Database } from '../db/open.ts';
import type { MovedDeadline } from './deadlines.ts';
import { moveDeadlines } from './deadlines.ts';

/** What a look may change of a notice. */
const MOVING = ['state', 'attempt_count', 'due_at', 'sent_at'] as const satisfies (keyof NoticeRecord)[];
const BEGUN = ['notice_id', 'cause', 'object_id', 'part', 'since', ...MOVING] as const satisfies (keyof NoticeRecord)[];
const CHANGED = [...MOVING, 'ended_at'] as const;

export interface StoredLook {
  tried: Set<string>;
  moved: MovedDeadline[];
}

/**
 * Stores the decision, and returns the notices whose try is this caller's. Of two looks at once one stores a new notice,
 * by the unique index of open ones, and one begins a try, by the number of tries before it.
 */
export async function storeLook(db: Database, decision: NoticeDecision, now: number): Promise<StoredLook> {
  const { begun, changed, tried } = decision;
  const columns = sql.raw(BEGUN.join(', '));
  const values = sql.raw(BEGUN.map((name) => `value->>'${name}'`).join(', '));
  const changes = sql.raw(CHANGED.map((name) => `${name} = o.value->>'${name}'`).join(', '));
  const [inserted, updated, moved] = await db.batch([
    db.all<{ notice_id: string }>(sql`INSERT INTO person_notices (${columns}, created_at)
      SELECT ${values}, ${now} FROM json_each(${JSON.stringify(begun)}) WHERE true
      ON CONFLICT DO NOTHING RETURNING notice_id`),
    db.all<{ notice_id: string }>(sql`UPDATE person_notices SET ${changes}
      FROM json_each(${JSON.stringify(changed)}) AS o
      WHERE person_notices.notice_id = o.value->>'notice_id' AND person_notices.ended_at IS NULL
        AND person_notices.attempt_count = o.value->>'attempt_count' - (o.value->>'notice_id' IN
          (SELECT t.value FROM json_each(${JSON.stringify(tried)}) AS t))
      RETURNING notice_id`),
    lengthen(db, begun, now),
  ]);
  const stored = new Set([...inserted, ...updated].map(({ notice_id }) => notice_id));
  return { tried: new Set(tried.filter((id) => stored.has(id))), moved };
}

/** An approval of which a person is notified has more time, until it is known whether the notice was accepted. */
function lengthen(db: Database, begun: readonly NoticeRecord[], now: number) {
  const asked = begun
    .filter(({ cause }) => cause === 'approval')
    .map(({ object_id, since }) => ({
      instruction_id: object_id,
      at: approvalExpiresAt(since, { accepted_at: null }),
    }));
  return moveDeadlines(db, asked, now);
}

export interface EndedTry {
  notice: NoticeRecord;
  /** Null when the receiver accepted it. */
  error: string | null;
}

/** Stores what became of tries. The object may have ceased to wait meanwhile: then no further try is due. */
export async function storeOutcomes(db: Database, ended: readonly EndedTry[], now: number): Promise<MovedDeadline[]> {
  const outcomes = ended.map(({ notice, error }) => ({ ...endTry(notice, error, now), notice }));
  const rows = outcomes.map(({ notice, ...next }) => ({
    ...next,
    notice_id: notice.notice_id,
    tries: notice.attempt_count,
  }));
  const accepted = outcomes.flatMap(({ notice: { cause, object_id, since }, accepted_at }) =>
    cause === 'approval' && accepted_at !== null
      ? [{ instruction_id: object_id, at: approvalExpiresAt(since, { accepted_at }) }]
      : [],
  );
  const events = outcomes.map(({ notice, state, last_error }) => ({
    topic: 'system' as const,
    type: 'notice',
    subject_id: notice.object_id,
    data: { cause: notice.cause, state, error: last_error },
  }));
  const [moved] = await db.batch([
    moveDeadlines(db, accepted, now),
    db.run(sql`UPDATE person_notices SET state = o.value->>'state', last_error = o.value->>'last_error',
        accepted_at = o.value->>'accepted_at',
        due_at = CASE WHEN person_notices.ended_at IS NULL THEN o.value->>'due_at' END
      FROM json_each(${JSON.stringify(rows)}) AS o
      WHERE person_notices.notice_id = o.value->>'notice_id' AND person_notices.attempt_count = o.value->>'tries'`),
    ...insertEvents(db, events, now),
  ]);
  return moved;
}
