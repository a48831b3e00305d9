/**
 * `renewal.projector`: each settled message of an assistant after the cursor, and each newest message of a marked
 * conversation, becomes a job, or the reason why not is stored with it. Jobs, reasons, marks and cursor are one batch,
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
import { runBatch } from '../db/open.ts';
import type { Reach } from '../nodes/presence.ts';
import { reachOf } from '../nodes/presence.ts';
import type { Runner, RunnerContext } from '../timed-jobs/job.ts';
import type { ChosenLink } from './choose-link.ts';
import { chooseLink } from './choose-link.ts';
import type { Projectable, ProjectableMessage } from './projectable-reads.ts';
import { readProjectable } from './projectable-reads.ts';
import { PROJECTOR, replaceMarks } from './projection-marks.ts';

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
  queries: { base: 9 },
  async run(context) {
    if (context.mode === 'draining') {
      context.log('scan_skipped', 'system_draining');
      return 'system_draining';
    }
    const { env, db, now, settings } = context;
    const projectable = await readProjectable(db, now, settings.max_messages_per_tick);
    const settled = settledMessages(projectable, now - settings.settle_delay_ms);
    const { cursor, marked } = projectable;
    const last = settled.at(-1)?.ingest_seq ?? cursor;
    context.log('scan_window', 'ok', { cursor_from: cursor, cursor_to: last, marked: marked.length });
    // A marked message after the cursor is projected when the cursor reaches it.
    const again = marked.filter((message) => message.ingest_seq <= cursor);
    const messages = [...settled, ...again].filter((message) => message.role === 'assistant');
    const reach = await reachOf(
      env,
      messages.flatMap((message) => message.links),
    );
    const projected = messages.map((message) => project(message, reach, now));
    if (last !== cursor || marked.length > 0) {
      const stored = await store(context, projected, { cursor, last, marked });
      if (!stored) return 'changed';
    }
    report(context, projected);
    return 'ok';
  },
};

/** The messages after the cursor that were received by then; not those after one that was not. */
function settledMessages({ next }: Projectable, receivedBy: number): ProjectableMessage[] {
  const firstUnsettled = next.findIndex((message) => message.received_at > receivedBy);
  return firstUnsettled === -1 ? next : next.slice(0, firstUnsettled);
}

function project(message: ProjectableMessage, reach: (nodeId: string) => Reach, now: number): Projected {
  const { link } = chooseLink(message.links, reach);
  const hold = renewalHold(message, message.settings, now);
  const skip = skipReason({
    automation_status: message.automation_status,
    link,
    has_job: message.has_job,
    newest: message.last_message_id === message.message_id,
    instruction_pending: message.instruction_pending,
    hold,
  });
  return { message, link, skip, hold: skip === 'cooldown' || skip === 'limit_reached' ? hold : null };
}

/** False when the cursor has moved, or the system was paused, since the messages were read. */
async function store(
  { db, now }: RunnerContext,
  projected: readonly Projected[],
  at: { cursor: number; last: number; marked: readonly ProjectableMessage[] },
): Promise<boolean> {
  const reasons = projected.map(({ message: { message_id }, skip }) => ({ message_id, skip_reason: skip }));
  const jobs = projected.flatMap((one) => (one.skip === null ? [newJob(one, now)] : []));
  try {
    await runBatch(db, [
      guardNotPaused(db),
      guardThat(db, sql`coalesce((SELECT position FROM runner_cursors WHERE runner = ${PROJECTOR}), 0) = ${at.cursor}`),
      ...insertRows(db, renewal_jobs, jobs),
      db.run(sql`UPDATE messages SET skip_reason = o.skip_reason
        FROM (SELECT value->>'message_id' AS message_id, value->>'skip_reason' AS skip_reason
          FROM json_each(${JSON.stringify(reasons)})) AS o
        WHERE messages.message_id = o.message_id`),
      replaceMarks(db, newMarks(projected, at.marked), now),
      db.run(sql`INSERT INTO runner_cursors (runner, position, updated_at) VALUES (${PROJECTOR}, ${at.last}, ${now})
        ON CONFLICT (runner) DO UPDATE SET position = excluded.position, updated_at = excluded.updated_at`),
    ]);
    return true;
  } catch (error) {
    if (violationOf(error) === null) throw error;
    return false;
  }
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

function report({ log }: RunnerContext, projected: readonly Projected[]): void {
  for (const { message, skip, hold } of projected) {
    const { message_id, local_conversation_id } = message;
    if (skip === null) log('message_projected', 'ok', { message_id, local_conversation_id });
    else log('message_skipped', skip, { message_id, local_conversation_id, ...limitDetail(hold) });
  }
  const projectedCount = projected.filter((one) => one.skip === null).length;
  log('scan_completed', projected.length === 0 ? 'idle' : 'ok', {
    projected_messages: projectedCount,
    skipped_messages: projected.length - projectedCount,
  });
}

function limitDetail(hold: Hold | null): Record<string, unknown> {
  return hold === null ? {} : { limit: hold.reason, until: hold.until };
}
