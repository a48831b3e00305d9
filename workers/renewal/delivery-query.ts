/** The question to the node that was asked to deliver. */
import { DEADLINE_MS } from '../../schema/domain/job-machine.ts';
import { newId } from '../../schema/ids.ts';
import type { JobRow } from '../../schema/tables/index.ts';
import type { CommandDraft } from '../nodes/commands.ts';

/** Undefined when the job does not name the node of its attempt. */
export function deliveryQuery(job: JobRow, now: number): CommandDraft<'delivery.query'> | undefined {
  const sent = job.target_snapshot?.sent;
  if (sent === undefined || job.plan_id === null) return undefined;
  return {
    command_id: newId('command', now),
    controller_id: sent.controller_id,
    kind: 'delivery.query',
    body: { job_id: job.job_id, attempt: job.attempt_count, plan_id: job.plan_id, command_id: sent.command_id },
    expires_at: now + DEADLINE_MS,
  };
}
