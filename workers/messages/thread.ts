/** The thread of a conversation: a page of its messages, each with all that belongs to it. */
import { asc, sql } from 'drizzle-orm';
import type { z } from 'zod';
import { InstructionSchema } from '../../schema/contracts/instructions.ts';
import type { ThreadPageSchema } from '../../schema/contracts/thread.ts';
import { instructions, renewal_jobs } from '../../schema/tables/index.ts';
import type { Database } from '../db/open.ts';
import { marked } from '../db/readable.ts';
import type { PageRequest } from '../http/paging.ts';
import { listMessages } from './message-reads.ts';

/** Newest first. What belongs to the messages is found by them, so its rows are those of the page. */
export async function readThread(
  db: Database,
  local_conversation_id: string,
  page: PageRequest,
): Promise<z.input<typeof ThreadPageSchema>> {
  const { items, next_cursor } = await listMessages(db, { controller_id: null, local_conversation_id }, page);
  const ids = sql`(SELECT value FROM json_each(${JSON.stringify(items.map(({ message_id }) => message_id))}))`;
  const [its, jobs] = await db.batch([
    db
      .select()
      .from(instructions)
      .where(sql`${instructions.message_id} IN ${ids}`)
      .orderBy(asc(instructions.message_id), asc(instructions.index)),
    db.select().from(renewal_jobs).where(sql`${renewal_jobs.message_id} IN ${ids}`),
  ]);
  const ofMessage = Map.groupBy(its, ({ message_id }) => message_id);
  const jobOf = new Map(jobs.map((job) => [job.message_id, job]));
  return {
    next_cursor,
    items: items.map((message) => ({
      message,
      instructions: (ofMessage.get(message.message_id) ?? []).map((row) => InstructionSchema.parse(marked(row))),
      job: jobOf.get(message.message_id) ?? null,
    })),
  };
}
