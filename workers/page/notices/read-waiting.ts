/** Reads what waits for a person. */
import { BrowserResponseSchema } from '../../../schema/contracts/browser.ts';
import { pageOf } from '../../../schema/contracts/common.ts';
import { ConversationSchema } from '../../../schema/contracts/conversations.ts';
import { InstructionSchema } from '../../../schema/contracts/instructions.ts';
import { LeaseViewSchema } from '../../../schema/contracts/leader.ts';
import { TaskSummarySchema } from '../../../schema/contracts/tasks.ts';
import { CONVERSATION_BREAKER } from '../../../schema/defaults.ts';
import { callEdge } from '../api/client.ts';
import type { WaitingObject } from './what-waits.ts';
import { waitingObject } from './what-waits.ts';

const LIMIT = 50;

/** No node led at the look before: the next one leads within seconds. */
let wasWithoutLeader = false;

export async function readWaiting(): Promise<WaitingObject[]> {
  const [approvals, tasks, browsers, paused, lease] = await Promise.all([
    callEdge(`/v1/instructions?status=awaiting_approval&limit=${LIMIT}`, pageOf(InstructionSchema)),
    callEdge(`/v1/tasks?status=blocked&limit=${LIMIT}`, pageOf(TaskSummarySchema)),
    callEdge('/v1/browser?limit=200', BrowserResponseSchema),
    callEdge(`/v1/renewal/conversations?status=paused&limit=${LIMIT}`, pageOf(ConversationSchema)),
    callEdge('/v1/leader', LeaseViewSchema),
  ]);
  const isWithoutLeader = lease.holder_id === null && lease.term > 0;
  const isNews = isWithoutLeader && wasWithoutLeader;
  wasWithoutLeader = isWithoutLeader;
  const stopped = browsers.policy.targets.filter(({ stopped_reason }) => stopped_reason != null);
  const broken = paused.items.filter(
    ({ pause_reason }) => pause_reason !== null && pause_reason in CONVERSATION_BREAKER,
  );
  return [
    ...approvals.items.map(({ instruction_id }) => waitingObject('approval', instruction_id)),
    ...tasks.items.map(({ task_id }) => waitingObject('blocked_step', task_id)),
    ...stopped.map(({ client_id, platform }) => waitingObject('stopped_browser', client_id, platform)),
    ...broken.map(({ local_conversation_id }) => waitingObject('paused_by_breaker', local_conversation_id)),
    ...(isNews ? [waitingObject('no_leader', 'leader', String(lease.term))] : []),
  ];
}
