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

/** The same where SQL decides: `item` is a JSON object for each row that `from`, all after FROM, still finds. */
export function insertEventsFrom(db: Database, item: SQL, from: SQL, now: number): Statement {
  return db.run(sql`INSERT INTO event_batches (at, events)
    SELECT ${now}, json_group_array(${item}) FROM ${from} HAVING count(*) > 0`);
}
