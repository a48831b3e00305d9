/** Events of the system: one row for all that a commit announces. */
import type { SQL } from 'drizzle-orm';
import { sql } from 'drizzle-orm';
import type { EventDraft } from '../../schema/contracts/events.ts';
import { event_batches } from '../../schema/tables/index.ts';
import type { Database, Statement } from './open.ts';

/** `now` in Unix milliseconds. Returns no statement for no events. */
export function insertEvents(db: Database, drafts: readonly EventDraft[], now: number): Statement[] {
  if (drafts.length === 0) return [];
  return [
    db.insert(event_batches).values({ at: now, events: drafts.map((draft) => ({ ...draft, data: draft.data ?? {} })) }),
  ];
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
