/** The work that an earlier process of this agent left in its store. */
import type { DatabaseSync } from 'node:sqlite';
import { z } from 'zod';

const UnfinishedRow = z.object({
  runs: z.number().int(),
  messages: z.number().int(),
  deliveries: z.number().int(),
  responses: z.number().int(),
  requests: z.number().int(),
});
export type Unfinished = z.infer<typeof UnfinishedRow>;

export function readUnfinished(db: DatabaseSync): Unfinished {
  const row = db
    .prepare(
      `SELECT
         (SELECT count(*) FROM runs WHERE stage <> 'reported') AS runs,
         (SELECT count(*) FROM messages WHERE state = 'executing') AS messages,
         (SELECT count(*) FROM deliveries WHERE state <> 'ended') AS deliveries,
         (SELECT count(*) FROM answers) AS responses,
         (SELECT count(*) FROM outbox WHERE status = 'pending') AS requests`,
    )
    .get();
  return UnfinishedRow.parse(row);
}

/** In words, for the checklist. */
export function describeUnfinished(found: Unfinished): string {
  const parts = Object.entries(found).filter(([, count]) => count > 0);
  return parts.length === 0 ? 'nothing' : parts.map(([what, count]) => `${count} ${what}`).join(', ');
}
