/**
 * `instructions.expire`: nothing runs without a deadline ahead of it. A claim past its time ends as `interrupted`, and a
 * reply whose outcome was never reported is given up, so that the conversation can be renewed again.
 *
 * Most instructions end within seconds, so a claim is in the index of deadlines only after a minute, which no claim is
 * shorter than: until then it costs no row of that index, and after that only what is due is read.
 */
import type { SQL } from 'drizzle-orm';
import { sql } from 'drizzle-orm';
import { INSTRUCTION } from '../../schema/defaults.ts';
import { isExecutingStatus } from '../../schema/domain/instruction-machine.ts';
import { messages } from '../../schema/tables/index.ts';
import { runBatch } from '../db/open.ts';
import { DUE_SQL, OPEN_SQL } from '../db/status-sql.ts';
import { projectAllAgain } from '../renewal/projection-marks.ts';
import type { Runner, RunnerContext } from '../timed-jobs/job.ts';
import { MORE } from '../timed-jobs/job.ts';
import { expireEach } from './expire-each.ts';
import { finishAndNotify } from './finish.ts';

const MAX_PER_TICK = 50;
/** Instructions that one tick begins to watch. */
const MAX_WATCHED_PER_TICK = 1_000;

export const instructionsExpire: Runner = {
  name: 'instructions.expire',
  ordinary: false,
  queries: { base: 4, each: 17 },
  async run(context) {
    const { now } = context;
    const isBehind = await watchOlder(context);
    const due = await readDue(context);
    const replies = due.filter((one) => one.instruction_id === null);
    await giveUpReplies(context, replies);
    const ids = due.flatMap(({ instruction_id }) => instruction_id ?? []);
    const done = await expireEach(context, ids, (loaded) => {
      const { status, claim_expires_at } = loaded.row;
      const isLate = isExecutingStatus(status) && claim_expires_at !== null && claim_expires_at <= now;
      return isLate ? finishAndNotify(context, loaded, 'interrupted', { by: 'deadline' }).plan : null;
    });
    if (!done || isBehind || replies.length === MAX_PER_TICK || ids.length === MAX_PER_TICK) return MORE;
    return due.length === 0 ? 'idle' : 'ok';
  },
};

/**
 * From now on the deadlines of instructions that are open for a minute are in the index. Reads those of the last minute.
 * Returns whether there may be more.
 */
async function watchOlder({ db, now }: RunnerContext): Promise<boolean> {
  const { meta } = await db.run(sql`UPDATE instructions SET watched = 1 WHERE instruction_id IN (
    SELECT instruction_id FROM instructions
    WHERE watched = 0 AND status ${OPEN_SQL} AND created_at <= ${now - INSTRUCTION.claim_slack_ms}
    LIMIT ${MAX_WATCHED_PER_TICK})`);
  return meta.changes >= MAX_WATCHED_PER_TICK;
}

/** A reply that is overdue, or the instruction whose claim is. */
interface Due {
  message_id: string;
  local_conversation_id: string;
  instruction_id: string | null;
}

/** One statement, because those of a tick are counted. */
function readDue({ db, now }: RunnerContext): Promise<Due[]> {
  return db.all<Due>(sql`
    SELECT * FROM (SELECT message_id, local_conversation_id, NULL AS instruction_id FROM messages
      WHERE ${overdueReply(now)} ORDER BY reply_due_at LIMIT ${MAX_PER_TICK})
    UNION ALL
    SELECT * FROM (SELECT message_id, local_conversation_id, instruction_id FROM instructions
      WHERE ${DUE_SQL} AND claim_expires_at <= ${now} ORDER BY claim_expires_at LIMIT ${MAX_PER_TICK})`);
}

function overdueReply(now: number): SQL {
  return sql`reply_due_at IS NOT NULL AND reply_due_at <= ${now}`;
}

/** Gives up these replies, so that their conversations can be renewed again. */
async function giveUpReplies({ db, now }: RunnerContext, late: readonly Due[]): Promise<void> {
  if (late.length === 0) return;
  const ids = JSON.stringify(late.map((row) => row.message_id));
  const marks = late.map(({ local_conversation_id }) => ({ local_conversation_id, due_at: now }));
  await runBatch(db, [
    db
      .update(messages)
      .set({ reply_outcome: 'given_up', replied_at: now, reply_due_at: null })
      .where(sql`${overdueReply(now)} AND message_id IN (SELECT value FROM json_each(${ids}))`),
    projectAllAgain(db, marks),
  ]);
}
