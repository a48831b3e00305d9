/**
 * `renewal.projector`: each settled message of an assistant after the cursor, and each newest message of a marked
 * conversation, becomes a job, or the reason why not is stored with it. Messages of conversations that are not `auto` are
 * passed in one statement, so that a backlog of them holds back no other. Jobs, reasons, marks and cursor are one batch,
 * guarded by the cursor, so a message is projected once, wherever a tick is interrupted.
 */
import { sql } from 'drizzle-orm';
import type { SkipReason } from '../../schema/contracts/renewal.ts';
import { RENEWAL } from '../../schema/defaults.ts';
import { skipReason } from '../../schema/domain/projection.ts';
import type { Hold } from '../../schema/domain/renewal-limits.ts';
import { renewalHold } from '../../schema/domain/renewal-limits.ts';
import { renewalPayload } from '../../schema/domain/renewal-payload.ts';
import { newId } from '../../schema/ids.ts';
import { renewal_jobs } from '../../schema/tables/index.ts';
import { insertRows } from '../db/bulk.ts';
import { guardNotPaused, guardThat, violationOf } from '../db/guards.ts';
import type { Database, Statement } from '../db/open.ts';
import { runBatch } from '../db/open.ts';
import type { Reach } from '../nodes/presence.ts';
import { reachOf } from '../nodes/presence.ts';
import type { Runner, RunnerContext } from '../timed-jobs/job.ts';
import { MORE } from '../timed-jobs/job.ts';
import type { ChosenLink } from './choose-link.ts';
import { chooseLink } from './choose-link.ts';
import type { Projectable, ProjectableMessage } from './projectable-reads.ts';
import { readProjectable } from './projectable-reads.ts';
import { PROJECTOR, replaceMarks } from './projection-marks.ts';

/** Messages of conversations that are not `auto` that the log names; the rest is counted. */
const MAX_NAMED = 10;

interface Projected {
  message: ProjectableMessage;
  link: ChosenLink['link'];
  skip: SkipReason | null;
  /** The limit behind the reason, and when it ends. */
  hold: Hold | null;
}

export const renewalProjector: Runner = {
  name: PROJECTOR,
  ordinary: true,
  queries: { base: 11 },
  async run(context) {
    if (context.mode === 'draining') {
      context.log('scan_skipped', 'system_draining');
      return 'system_draining';
    }
    const { env, db, now, settings } = context;
    const projectable = await readProjectable(db, {
      now,
      settledBy: now - settings.settle_delay_ms,
      limit: settings.max_messages_per_tick,
    });
    const { cursor, last, next, marked, more } = projectable;
    context.log('scan_window', 'ok', { cursor_from: cursor, cursor_to: last, marked: marked.length, more });
    // A marked message after the cursor is projected when the cursor reaches it.
    const again = marked.filter((message) => message.ingest_seq <= cursor && message.role === 'assistant');
    const messages = [...next, ...again];
    const reach = await reachOf(
      env,
      messages.flatMap((message) => message.links),
    );
    const projected = messages.map((message) => project(message, reach, now));
    if (last !== cursor || marked.length > 0) {
      const stored = await store(context, projected, projectable);
      if (!stored) return 'changed';
    }
    report(context, projected, projectable);
    return more ? MORE : 'ok';
  },
};

function project(message: ProjectableMessage, reach: (nodeId: string) => Reach, now: number): Projected {
  const { link } = chooseLink(message.links, reach);
  const hold = renewalHold(message, message.settings, now);
  const skip = skipReason({
    automation_status: message.automation_status,
    link,
    has_job: message.has_job,
    newest: message.last_message_id === message.message_id,
    instruction_pending: message.instruction_pending,
    task_pending: message.task_pending,
    ask_pending: message.open_ask !== null,
    hold,
  });
  return { message, link, skip, hold: skip === 'cooldown' || skip === 'limit_reached' ? hold : null };
}

/** False when the cursor has moved, or the system was paused, since the messages were read. */
async function store(
  { db, now }: RunnerContext,
  projected: readonly Projected[],
  { cursor, last, marked, passed }: Projectable,
): Promise<boolean> {
  const reasons = projected.map(({ message: { message_id }, skip }) => ({ message_id, skip_reason: skip }));
  const jobs = projected.flatMap((one) => (one.skip === null ? [newJob(one, now)] : []));
  try {
    await runBatch(db, [
      guardNotPaused(db),
      guardThat(db, sql`coalesce((SELECT position FROM runner_cursors WHERE runner = ${PROJECTOR}), 0) = ${cursor}`),
      ...insertRows(db, renewal_jobs, jobs),
      db.run(sql`UPDATE messages SET skip_reason = o.skip_reason
        FROM (SELECT value->>'message_id' AS message_id, value->>'skip_reason' AS skip_reason
          FROM json_each(${JSON.stringify(reasons)})) AS o
        WHERE messages.message_id = o.message_id`),
      ...(passed.length === 0 ? [] : [skipOthers(db, cursor, last)]),
      replaceMarks(db, newMarks(projected, marked), now),
      db.run(sql`INSERT INTO runner_cursors (runner, position, updated_at) VALUES (${PROJECTOR}, ${last}, ${now})
        ON CONFLICT (runner) DO UPDATE SET position = excluded.position, updated_at = excluded.updated_at`),
    ]);
    return true;
  } catch (error) {
    if (violationOf(error) === null) throw error;
    return false;
  }
}

/** Stores why the passed messages became no job. One whose conversation has just become `auto` is marked by that change. */
function skipOthers(db: Database, cursor: number, last: number): Statement {
  return db.run(sql`UPDATE messages SET skip_reason = 'automation_' || c.automation_status
    FROM local_conversations AS c
    WHERE c.local_conversation_id = messages.local_conversation_id AND c.automation_status <> 'auto'
      AND messages.ingest_seq > ${cursor} AND messages.ingest_seq <= ${last} AND messages.role = 'assistant'`);
}

/** A conversation that a limit holds back is looked at again when the limit ends; any other mark is done with. */
function newMarks(projected: readonly Projected[], marked: readonly ProjectableMessage[]) {
  const held = projected.flatMap(({ message: { local_conversation_id }, hold }) =>
    hold === null || hold.until === null ? [] : [{ local_conversation_id, due_at: hold.until }],
  );
  const isHeld = new Set(held.map((mark) => mark.local_conversation_id));
  const done = marked.filter((message) => !isHeld.has(message.local_conversation_id));
  return [...held, ...done.map(({ local_conversation_id }) => ({ local_conversation_id, due_at: null }))];
}

function newJob({ message, link }: Projected, now: number): typeof renewal_jobs.$inferInsert {
  const payload = renewalPayload({ ...message, page_url: link?.page_url ?? '' }, message.settings.template);
  return {
    job_id: newId('job', now),
    local_conversation_id: message.local_conversation_id,
    message_id: message.message_id,
    status: 'pending',
    payload: JSON.stringify(payload),
    payload_kind: 'json',
    payload_text: payload.text,
    attempt_count: 0,
    max_attempts: RENEWAL.max_attempts,
    next_attempt_at: now,
    created_at: now,
    updated_at: now,
  };
}

function report({ log }: RunnerContext, projected: readonly Projected[], { passed, more }: Projectable): void {
  for (const { message, skip, hold } of projected) {
    const { message_id, local_conversation_id } = message;
    if (skip === null) log('message_projected', 'ok', { message_id, local_conversation_id });
    else log('message_skipped', skip, { message_id, local_conversation_id, ...limitDetail(hold) });
  }
  for (const { message_id, local_conversation_id, automation_status } of passed.slice(0, MAX_NAMED)) {
    log('message_skipped', `automation_${automation_status}`, { message_id, local_conversation_id });
  }
  const projectedCount = projected.filter((one) => one.skip === null).length;
  const decided = projected.length + passed.length;
  log('scan_completed', decided === 0 ? 'idle' : 'ok', {
    projected_messages: projectedCount,
    skipped_messages: decided - projectedCount,
    more,
  });
}

function limitDetail(hold: Hold | null): Record<string, unknown> {
  return hold === null ? {} : { limit: hold.reason, until: hold.until };
}
