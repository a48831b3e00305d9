/** The requests that the edge has refused, in the agent's file: read while no agent runs, and forgotten once a person has read them. */
import { DatabaseSync } from 'node:sqlite';
import { z } from 'zod';
import { RefusalSchema } from './outbox.ts';

const MAX_ROWS = 20;
const BUSY_MS = 5_000;
const RowSchema = z.object({ kind: z.string(), path: z.string(), refusal: z.string() });
export const RefusedRequestSchema = z.object({ kind: z.string(), path: z.string(), refusal: RefusalSchema });
export type RefusedRequest = z.infer<typeof RefusedRequestSchema>;

/** Removes the refused requests, while an agent runs too; gives how many there were. */
export function forgetRefused(path: string): number {
  const db = new DatabaseSync(path, { timeout: BUSY_MS });
  try {
    return Number(db.prepare("DELETE FROM outbox WHERE status = 'refused'").run().changes);
  } finally {
    db.close();
  }
}

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
