/**
 * `texts.retention`: empties messages that are older than their conversation's texts are kept, as forgetting does: texts, calls
 * and outputs go; statuses, times and hashes stay, and the journal stays verifiable. A cursor for each period walks the
 * messages in the order of their arrival, so looking reads one row for each, and a message is read once for each. What is still
 * under way is passed, and is emptied by the walk of the next period. An update and another default begin with a pause, in which
 * a person can take them back. It runs in every mode.
 */
import type { SQL } from 'drizzle-orm';
import { sql } from 'drizzle-orm';
import type { TextsKept } from '../../schema/contracts/keeping.ts';
import { TEXTS_KEPT_DAYS } from '../../schema/contracts/keeping.ts';
import { RETENTION, TEXTS_GRACE_MS } from '../../schema/defaults.ts';
import type { Period } from '../../schema/domain/text-retention.ts';
import { cutoff, isDue, keptOf, overduePeriod, storedDays } from '../../schema/domain/text-retention.ts';
import { commit } from '../db/commit.ts';
import { guardThat } from '../db/guards.ts';
import type { Database, Statement } from '../db/open.ts';
import type { Plan } from '../db/plan.ts';
import { mergePlans } from '../db/plan.ts';
import { OPEN_SQL } from '../db/status-sql.ts';
import type { Runner, RunnerContext } from '../timed-jobs/job.ts';
import { MORE } from '../timed-jobs/job.ts';
import type { Emptied } from './messages.ts';
import { emptyMessages } from './messages.ts';
import { listOf } from './part.ts';
import { cursorName, walkAgain } from './walks.ts';

const MAX_MESSAGES = 20;

/** Beside the cursors: the default of the last look. */
const DEFAULT = 'texts.retention/default';
const positionOf = (period: Period): SQL =>
  sql`coalesce((SELECT position FROM runner_cursors WHERE runner = ${cursorName(period)}), 0)`;

interface OldMessage extends Emptied {
  /** Where the walk is. */
  position: number;
  ingest_seq: number;
  stored_days: number | null;
  /** Something of it is under way or may be tried again, or its text is gone already. */
  is_left: 0 | 1;
}

export const textsRetention: Runner = {
  name: 'texts.retention',
  ordinary: false,
  // The look is counted with the part: in a tick without room for both, the next tick looks.
  queries: { base: 0, each: 16 },
  async run(context) {
    if (!context.hasRoom()) return MORE;
    const { db, now, settings } = context;
    const { known_default, noted_at, oldest_call, ...next } = await look(db);
    const days = storedDays(settings.texts_kept);
    if (known_default !== days) {
      await db.batch(noteDefault(db, days, now));
      return 'ok';
    }
    if (now - (noted_at ?? now) < TEXTS_GRACE_MS) return 'idle';
    const period = overduePeriod(next, now);
    const isCallOld = (oldest_call ?? now) < callCutoff(settings.texts_kept, now);
    if (period === null && !isCallOld) return 'idle';
    const plan = () => (isCallOld ? planCalls(context) : planPart(context, period ?? TEXTS_KEPT_DAYS[0]));
    await commit({ db, now, by: null, idempotency: null, waitUntil: () => undefined }, async () => ({
      ...(await plan()),
      response: null,
    }));
    return MORE;
  },
};

interface Look extends Record<Period, number | null> {
  known_default: number | null;
  noted_at: number | null;
  oldest_call: number | null;
}

/**
 * When the message arrived to which the walk of each period comes next (null behind the newest), the default of the last look
 * and since when it is that, and the oldest call through MCP.
 */
async function look(db: Database): Promise<Look> {
  const each = TEXTS_KEPT_DAYS.map(
    (period) => sql`(SELECT received_at FROM messages WHERE ingest_seq > ${positionOf(period)}
      ORDER BY ingest_seq LIMIT 1) AS ${sql.raw(`"${period}"`)}`,
  );
  const others = [
    sql`(SELECT position FROM runner_cursors WHERE runner = ${DEFAULT}) AS known_default`,
    sql`(SELECT updated_at FROM runner_cursors WHERE runner = ${DEFAULT}) AS noted_at`,
    sql`(SELECT created_at FROM mcp_calls ORDER BY message_id LIMIT 1) AS oldest_call`,
  ];
  const [row] = await db.all<Look>(sql`SELECT ${sql.join([...each, ...others], sql`, `)}`);
  return row ?? { 7: null, 30: null, 90: null, 365: null, known_default: null, noted_at: null, oldest_call: null };
}

/** An operator has set another default: texts that the walk of its period has passed may be due. */
function noteDefault(db: Database, days: number, now: number): [Statement, ...Statement[]] {
  const period = TEXTS_KEPT_DAYS.find((one) => one === days);
  return [setCursor(db, DEFAULT, days, now), ...(period === undefined ? [] : [walkAgain(db, period)])];
}

function setCursor(db: Database, name: string, position: number, now: number): Statement {
  return db.run(sql`INSERT INTO runner_cursors (runner, position, updated_at) VALUES (${name}, ${position}, ${now})
    ON CONFLICT (runner) DO UPDATE SET position = excluded.position, updated_at = excluded.updated_at`);
}

async function planPart(context: RunnerContext, period: Period): Promise<Plan> {
  const { db, now, settings } = context;
  const old = await readOld(db, period, now);
  const [first, last] = [old.at(0), old.at(-1)];
  // Another tick has been here.
  if (first === undefined || last === undefined) return {};
  const moved: Plan = {
    guards: [guardThat(db, sql`${positionOf(period)} = ${first.position}`)],
    statements: [setCursor(db, cursorName(period), last.ingest_seq, now)],
  };
  const due = old.filter(
    ({ stored_days, is_left }) => is_left === 0 && isDue(period, keptOf(stored_days, settings.texts_kept)),
  );
  if (due.length === 0) return moved;
  const emptied = await emptyMessages(context, due);
  if (emptied === null) return moved;
  return mergePlans(moved, emptied.plan, { statements: [emptyRenewals(db, due, now)] });
}

/** The next messages of the walk that are older than the period. */
function readOld(db: Database, period: Period, now: number): Promise<OldMessage[]> {
  return db.all<OldMessage>(sql`SELECT ${positionOf(period)} AS position, m.ingest_seq, m.message_id, m.resubmit_command_id AS command_id,
      c.texts_kept_days AS stored_days,
      (m.forgotten_at IS NOT NULL OR EXISTS (SELECT 1 FROM renewal_jobs AS j WHERE j.message_id = m.message_id
        AND (j.status IN ('pending', 'running') OR j.status = 'failed' AND c.last_message_id = m.message_id))
        OR m.reply_due_at IS NOT NULL OR m.resubmit_command_id IS NOT NULL OR EXISTS (
        SELECT 1 FROM instructions AS i WHERE i.message_id = m.message_id AND i.status ${OPEN_SQL})) AS is_left
    FROM (SELECT * FROM messages WHERE ingest_seq > ${positionOf(period)} ORDER BY ingest_seq LIMIT ${MAX_MESSAGES}) AS m
    JOIN local_conversations AS c ON c.local_conversation_id = m.local_conversation_id
    WHERE m.received_at < ${cutoff(period, now)} ORDER BY m.ingest_seq`);
}

/** Calls are kept as long as texts are by default; where those stay for good, a call stays as long as it can be repeated. */
const callCutoff = (kept: TextsKept, now: number): number =>
  kept === 'always' ? now - RETENTION.event_ms : cutoff(kept, now);

/** The oldest calls through MCP, which are no messages: their instructions are emptied, and the calls are deleted. */
async function planCalls(context: RunnerContext): Promise<Plan> {
  const { db, now, settings } = context;
  const old = await db.all<Emptied>(sql`SELECT message_id, NULL AS command_id FROM
    (SELECT message_id, created_at FROM mcp_calls ORDER BY message_id LIMIT ${MAX_MESSAGES})
    WHERE created_at < ${callCutoff(settings.texts_kept, now)}`);
  const ids = listOf(old.map(({ message_id }) => message_id));
  const emptied = settings.texts_kept === 'always' ? null : await emptyMessages(context, old);
  return mergePlans(
    { statements: [db.run(sql`DELETE FROM mcp_calls WHERE message_id IN ${ids}`)] },
    emptied?.plan ?? {},
  );
}

/** The texts of ended renewals quote the message. */
function emptyRenewals(db: Database, due: readonly OldMessage[], now: number): Statement {
  return db.run(sql`UPDATE renewal_jobs SET payload = '', payload_text = NULL, target_snapshot = NULL, updated_at = ${now}
    WHERE message_id IN ${listOf(due.map(({ message_id }) => message_id))} AND status NOT IN ('pending', 'running')
      AND payload <> ''`);
}
