/**
 * `renewal.projector`: settled messages of the assistant behind the cursor, and those marked to be looked at again,
 * become one job each, or the reason why not is kept on them. Jobs, reasons, marks and cursor are one batch, guarded
 * by the cursor; so a message is projected once, whatever dies in between.
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
import type { Statement } from '../db/open.ts';
import { runBatch } from '../db/open.ts';
import type { Runner, RunnerContext } from '../timed-jobs/job.ts';
import type { Candidate } from './projectable-messages.ts';
import { readCandidates } from './projectable-messages.ts';
import { dropMarks, PROJECTOR, projectAllAgain } from './projection-marks.ts';

interface Projected {
  candidate: Candidate;
  skip: SkipReason | null;
  /** The limit behind the reason, and when it ends. */
  hold: Hold | null;
}

export const renewalProjector: Runner = {
  name: PROJECTOR,
  ordinary: true,
  async run(context) {
    if (context.mode === 'draining') {
      context.log('scan_skipped', 'system_draining');
      return 'system_draining';
    }
    const { db, now, settings } = context;
    const { cursor, behind, marked } = await readCandidates(db, now, settings.max_messages_per_tick);
    const firstUnsettled = behind.findIndex((one) => one.received_at + settings.settle_delay_ms > now);
    const window = firstUnsettled === -1 ? behind : behind.slice(0, firstUnsettled);
    const last = window.at(-1)?.ingest_seq ?? cursor;
    context.log('scan_window', 'ok', { cursor_from: cursor, cursor_to: last, marked: marked.length });
    // A marked message that is not behind the cursor yet comes by itself.
    const again = marked.filter((one) => one.ingest_seq <= cursor);
    const projected = [...window, ...again]
      .filter((one) => one.role === 'assistant')
      .map((candidate) => judge(candidate, now));
    if (last !== cursor || marked.length > 0) {
      const stored = await store(context, projected, { cursor, last, marked });
      if (!stored) return 'changed';
    }
    report(context, projected);
    return 'ok';
  },
};

function judge(candidate: Candidate, now: number): Projected {
  const hold = renewalHold(candidate, candidate.settings, now);
  const skip = skipReason({
    automation_status: candidate.automation_status,
    link: candidate.link,
    has_job: candidate.has_job,
    newest: candidate.last_message_id === candidate.message_id,
    instruction_pending: candidate.instruction_pending,
    hold,
  });
  return { candidate, skip, hold: skip === 'cooldown' || skip === 'limit_reached' ? hold : null };
}

async function store(
  { db, now }: RunnerContext,
  projected: readonly Projected[],
  at: { cursor: number; last: number; marked: readonly Candidate[] },
): Promise<boolean> {
  const skipped = projected.map(({ candidate, skip }) => ({ message_id: candidate.message_id, skip_reason: skip }));
  const jobs = projected.flatMap(({ candidate, skip }) => (skip === null ? [newJob(candidate, now)] : []));
  const later = projected.flatMap(({ candidate: { local_conversation_id }, hold }) =>
    hold === null || hold.until === null ? [] : [{ local_conversation_id, due_at: hold.until }],
  );
  const statements: Statement[] = [
    guardNotPaused(db),
    guardThat(db, sql`coalesce((SELECT position FROM runner_cursors WHERE runner = ${PROJECTOR}), 0) = ${at.cursor}`),
    ...insertRows(db, renewal_jobs, jobs),
    db.run(sql`UPDATE messages SET skip_reason = o.skip_reason
      FROM (SELECT value->>'message_id' AS message_id, value->>'skip_reason' AS skip_reason
        FROM json_each(${JSON.stringify(skipped)})) AS o
      WHERE messages.message_id = o.message_id`),
    dropMarks(
      db,
      at.marked.map((one) => one.local_conversation_id),
      now,
    ),
    ...(later.length === 0 ? [] : [projectAllAgain(db, later)]),
    db.run(sql`INSERT INTO runner_cursors (runner, position, updated_at) VALUES (${PROJECTOR}, ${at.last}, ${now})
      ON CONFLICT (runner) DO UPDATE SET position = excluded.position, updated_at = excluded.updated_at`),
  ];
  try {
    await runBatch(db, statements);
    return true;
  } catch (error) {
    if (violationOf(error) === null) throw error;
    return false;
  }
}

function newJob(one: Candidate, now: number): typeof renewal_jobs.$inferInsert {
  const payload = renewalPayload({ ...one, page_url: one.link?.page_url ?? '' }, one.settings.template);
  return {
    job_id: newId('job', now),
    local_conversation_id: one.local_conversation_id,
    message_id: one.message_id,
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
  for (const { candidate, skip, hold } of projected) {
    const { message_id, local_conversation_id } = candidate;
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
