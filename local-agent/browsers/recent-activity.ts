/**
 * The newest messages of one browser and the executions of its newest messages, as its overlay shows them. They are read
 * from SQLite, so a restart keeps them. A browser sees nothing of another one.
 */
import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { z } from 'zod';
import { PlatformSchema } from '../../schema/contracts/common.ts';
import { IngestStatusSchema } from '../../schema/contracts/instructions.ts';

const IngestRow = z.object({
  message_id: z.string(),
  platform: PlatformSchema,
  conversation_id: z.string(),
  ingest_status: IngestStatusSchema,
  at: z.number().int(),
});
const ExecuteRow = z.object({
  instruction_id: z.string(),
  platform: PlatformSchema,
  conversation_id: z.string(),
  name: z.string(),
  status: z.string(),
  duration_ms: z.number().int().nullable(),
  at: z.number().int(),
});

export class RecentActivity {
  readonly #limit: number;
  readonly #ingests: StatementSync;
  readonly #executes: StatementSync;

  /** `limit`: how many of each are shown. */
  constructor(db: DatabaseSync, limit: number) {
    this.#limit = limit;
    this.#ingests = db.prepare(
      `SELECT message_id, platform, remote_conversation_id AS conversation_id, ingest_status, created_at AS at
       FROM messages WHERE client_id = ? ORDER BY rowid DESC LIMIT ?`,
    );
    this.#executes = db.prepare(
      `SELECT instruction_id, platform, conversation_id, name, status, max(0, finished_at - started_at) AS duration_ms,
         coalesce(finished_at, started_at) AS at
       FROM executions JOIN (
         SELECT message_id, platform, remote_conversation_id AS conversation_id
         FROM messages WHERE client_id = ? ORDER BY rowid DESC LIMIT ?
       ) USING (message_id)
       WHERE started_at IS NOT NULL OR finished_at IS NOT NULL
       ORDER BY at DESC, executions.rowid DESC LIMIT ?`,
    );
  }

  /** Newest first. */
  read(clientId: string): { ingests: z.infer<typeof IngestRow>[]; executes: z.infer<typeof ExecuteRow>[] } {
    return {
      ingests: this.#ingests.all(clientId, this.#limit).map((row) => IngestRow.parse(row)),
      executes: this.#executes.all(clientId, this.#limit, this.#limit).map((row) => ExecuteRow.parse(row)),
    };
  }
}
