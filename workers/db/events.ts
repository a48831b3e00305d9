/** Events of the system: one row for all that a commit announces. */
import type { SQL } from 'drizzle-orm';
import { sql } from 'drizzle-orm';
import type { EventDraft } from '../../schema/contracts/events.ts';
import { event_batches } from '../../schema/tables/index.ts';
import type { Database, Statement } from './open.ts';

/** `now` in Unix milliseconds; `ended` for the counters. Returns no statement when there is nothing to store. */
export function insertEvents(
  db: Database,
  drafts: readonly EventDraft[],
  now: number,
  ended: Record<string, number> | null = null,
): Statement[] {
  if (drafts.length === 0 && ended === null) return [];
  const events = drafts.map((draft) => ({ ...draft, data: draft.data ?? {} }));
  return [db.insert(event_batches).values({ at: now, events, ended })];
}

/** The same for events of which only those are stored that meet `condition`, in SQL, on `value`: the event as JSON. */
export function insertEventsWhere(
  db: Database,
  drafts: readonly EventDraft[],
  condition: SQL,
  now: number,
): Statement[] {
  if (drafts.length === 0) return [];
  const events = JSON.stringify(drafts.map((draft) => ({ ...draft, data: draft.data ?? {} })));
  return [
    db.run(sql`INSERT INTO event_batches (at, events) SELECT ${now}, json_group_array(json(value))
      FROM json_each(${events}) WHERE ${condition} HAVING count(*) > 0`),
  ];
}
