/** The requests that the edge has refused, read from the agent's file while no agent runs. */
import { DatabaseSync } from 'node:sqlite';
import { z } from 'zod';
import { RefusalSchema } from './outbox.ts';

const MAX_ROWS = 20;
const RowSchema = z.object({ kind: z.string(), path: z.string(), refusal: z.string() });
export const RefusedRequestSchema = z.object({ kind: z.string(), path: z.string(), refusal: RefusalSchema });
export type RefusedRequest = z.infer<typeof RefusedRequestSchema>;

/** Newest first. @throws the database's error when there is no such file, or it is of another version */
export function readRefused(path: string): RefusedRequest[] {
  const db = new DatabaseSync(path, { readOnly: true });
  try {
    const rows = db
      .prepare("SELECT kind, path, refusal FROM outbox WHERE status = 'refused' ORDER BY id DESC LIMIT ?")
      .all(MAX_ROWS);
    return rows.map((row) => {
      const { kind, path: to, refusal } = RowSchema.parse(row);
      return { kind, path: to, refusal: RefusalSchema.parse(JSON.parse(refusal)) };
    });
  } finally {
    db.close();
  }
}
