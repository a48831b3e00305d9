/**
 * Removes what was said in messages and done by their instructions: texts, calls, outputs, and in the journal what programs
 * have printed. Statuses, verdicts, codes, times and hashes stay. Each part is one commit with its own journal entries.
 */
import { asc, sql } from 'drizzle-orm';
import type { JournalBlock } from '../../schema/contracts/journal.ts';
import { JournalBlockSchema } from '../../schema/contracts/journal.ts';
import { hasOutput, leftHash, withoutOutput } from '../../schema/domain/forgotten-blocks.ts';
import { instructions, journal_blocks, messages } from '../../schema/tables/index.ts';
import { sha256Hex } from '../crypto/hash.ts';
import type { JournalDraft } from '../db/journal.ts';
import type { Edge } from '../db/plan.ts';
import { mergePlans } from '../db/plan.ts';
import type { ForgottenPart } from './part.ts';
import { deleteCommands, listOf } from './part.ts';
import { forgetPosition, moveForget } from './walks.ts';

const MAX_MESSAGES = 20;
/** Some of them may be newer, or empty already. */
const MAX_LOOKED = 50;

/**
 * The next messages of the conversation that came before that time; null when there is none left. They are walked in the order
 * of their identities, which an index has for each conversation, so a part reads no message that one before it has passed.
 */
export async function forgetMessages(
  edge: Edge,
  conversationId: string,
  before: number,
): Promise<ForgottenPart | null> {
  const looked = await edge.db.all<Emptied & { ingest_seq: number; is_due: 0 | 1 }>(sql`
    SELECT ingest_seq, message_id, resubmit_command_id AS command_id, received_at < ${before} AND forgotten_at IS NULL AS is_due FROM messages
    WHERE local_conversation_id = ${conversationId} AND identity > coalesce((SELECT identity FROM messages
      WHERE ingest_seq = ${forgetPosition('messages', conversationId)}), '')
    ORDER BY identity LIMIT ${MAX_LOOKED}`);
  const due = looked.filter(({ is_due }) => is_due === 1);
  const now = due.slice(0, MAX_MESSAGES);
  const last = due.length > MAX_MESSAGES ? now.at(-1) : looked.at(-1);
  if (last === undefined) return null;
  const emptied = await emptyMessages(edge, now);
  const moved = { statements: [moveForget(edge, 'messages', conversationId, last.ingest_seq)] };
  return { plan: mergePlans(emptied?.plan ?? {}, moved), removed: emptied?.removed ?? {} };
}

/** A message that was not emptied yet, or a call through MCP, with the command of its pending resubmission. */
export interface Emptied {
  message_id: string;
  command_id: string | null;
}

/** Null when there are none. */
export async function emptyMessages(edge: Edge, found: readonly Emptied[]): Promise<ForgottenPart | null> {
  const { db, now } = edge;
  if (found.length === 0) return null;
  const messageIds = found.map(({ message_id }) => message_id);
  const ids = listOf(messageIds);
  const [rows, stored] = await db.batch([
    db
      .select({
        instruction_id: instructions.instruction_id,
        message_id: instructions.message_id,
        chain: instructions.controller_id,
        artifact_id: instructions.artifact_id,
        command_id: instructions.command_id,
      })
      .from(instructions)
      .where(sql`${instructions.message_id} IN ${ids}`),
    db
      .select()
      .from(journal_blocks)
      .where(sql`${journal_blocks.message_id} IN ${ids} AND ${journal_blocks.forgotten_at} IS NULL`)
      .orderBy(asc(journal_blocks.seq)),
  ]);
  const blocks = stored.flatMap((row) => {
    const block = JournalBlockSchema.safeParse(row);
    return block.success && hasOutput(block.data.entries) ? [emptied(block.data)] : [];
  });
  const artifacts = rows.flatMap(({ artifact_id }) => artifact_id ?? []);
  const plan = {
    statements: [
      db.update(messages).set({ raw_text: '', block_errors: [], forgotten_at: now }).where(sql`message_id IN ${ids}`),
      db
        .update(instructions)
        .set({
          params: {},
          approval: null,
          output_summary: null,
          artifact_id: null,
          late_result: null,
          updated_at: now,
        })
        .where(sql`instruction_id IN ${listOf(rows.map(({ instruction_id }) => instruction_id))}`),
      db.run(sql`DELETE FROM artifacts WHERE artifact_id IN ${listOf(artifacts)}`),
      deleteCommands(db, [...found, ...rows]),
      db.run(sql`UPDATE journal_blocks SET entries = o.entries, forgotten_at = ${now}
        FROM (SELECT value->>'chain' AS chain, value->>'seq' AS seq, value->>'entries' AS entries
          FROM json_each(${JSON.stringify(blocks)})) AS o
        WHERE journal_blocks.chain = o.chain AND journal_blocks.seq = o.seq`),
    ],
    journal: [...rows.map(entryOf), ...(await Promise.all(blocks.map(boundEntry)))],
  };
  const removed = { messages: messageIds.length, instructions: rows.length, artifacts: artifacts.length };
  return { plan, removed: { ...removed, journal_blocks: blocks.length } };
}

function emptied(block: JournalBlock): JournalBlock {
  return { ...block, entries: withoutOutput(block.entries) };
}

function entryOf(row: { instruction_id: string; message_id: string; chain: string }): JournalDraft {
  const { instruction_id, message_id, chain } = row;
  return { chain, message_id, instruction_id, kind: 'forgotten', controller_id: null, detail: {} };
}

/** Binds what is left of a block to the chain: its own hash is that of what was there. */
async function boundEntry(block: JournalBlock): Promise<JournalDraft> {
  const { chain, message_id, seq, entries } = block;
  const detail = { block: seq, left_sha256: await leftHash(sha256Hex, block) };
  const instruction_id = entries[0]?.instruction_id ?? '';
  return { chain, message_id, instruction_id, kind: 'forgotten', controller_id: null, detail };
}
