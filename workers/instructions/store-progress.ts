/**
 * The plan that stores what was decided about the instructions of one message: their rows and journal entries, the status
 * of the message, and the breaker of its conversation. It is guarded by the statuses that were read, by the mode version,
 * and, when a waiting instruction was released, by all that let it be released. The node is notified of what a person can
 * decide now.
 */
import { and, eq, inArray } from 'drizzle-orm';
import { countExecution } from '../../schema/domain/conversation.ts';
import {
  isOpenMessage,
  moveMessage,
  OPEN_MESSAGE_STATUSES,
  openMessageStatus,
} from '../../schema/domain/message-machine.ts';
import type { TrackedInstruction } from '../../schema/domain/message-progress.ts';
import type { Progress, ProgressStep } from '../../schema/domain/progress.ts';
import type { ConversationRow, InstructionRow } from '../../schema/tables/index.ts';
import { messages } from '../../schema/tables/index.ts';
import { guardModeVersion } from '../db/guards.ts';
import type { JournalDraft } from '../db/journal.ts';
import type { Edge, Plan } from '../db/plan.ts';
import { mergePlans } from '../db/plan.ts';
import { pushChanged } from '../nodes/push.ts';
import { guardStatus, storeConversation } from '../renewal/conversations.ts';
import { guardNotBusy, guardStatuses } from './guards.ts';
import type { LoadedMessage } from './load.ts';
import type { AddedColumns, ChangedBy } from './store-statuses.ts';
import { journalChanges, storeStatuses } from './store-statuses.ts';

interface Identified {
  instruction_id: string;
}

export interface ProgressWrite<I extends Identified> {
  /** Who made a step, and what its journal entry says about it. */
  changedBy: (step: ProgressStep<I>) => Omit<ChangedBy, 'chain' | 'message_id'>;
  columns?: ReadonlyMap<string, AddedColumns>;
  /** The conversation after what an instruction itself did to it. */
  conversation?: ConversationRow | undefined;
}

export function storeProgress<I extends Identified>(
  edge: Edge,
  loaded: LoadedMessage,
  progress: Progress<I>,
  { changedBy, columns, conversation = loaded.conversation }: ProgressWrite<I>,
): Plan {
  const { db, now } = edge;
  const { message, statuses, fence } = loaded;
  // A call through MCP has no conversation whose breaker could count it.
  const counts = message.origin === 'mcp' ? null : progress.counts_as;
  const counted = counts === null ? conversation : countExecution(conversation, counts, now);
  const history = [statuses, ...progress.steps.map((step) => step.statuses)];
  const decided: Plan = {
    guards: [
      guardStatuses(db, message.message_id, statuses),
      ...(progress.steps.some(({ type }) => type === 'ended' || type === 'blocked')
        ? [guardModeVersion(db, fence.mode_version)]
        : []),
      ...(releasesWaiting(history) ? [guardNotBusy(db, message), guardStatus(db, loaded.conversation)] : []),
    ],
    statements: storeStatuses(edge, statuses, progress.statuses, columns),
    journal: progress.steps.flatMap((step, n) =>
      journalStep(history[n] ?? [], step, {
        chain: message.controller_id,
        message_id: message.message_id,
        ...changedBy(step),
      }),
    ),
  };
  const moved =
    progress.message === null
      ? moveOpenMessage(edge, loaded, progress.statuses)
      : endMessage(edge, loaded, progress.message, progress.reply_due_at);
  return mergePlans(decided, moved, storeConversation(edge, loaded.conversation, counted), {
    after: () => notifyOfAsked(edge, loaded, progress),
  });
}

function releasesWaiting(history: readonly (readonly TrackedInstruction[])[]): boolean {
  return history.some((after, n) =>
    after.some(({ status }, at) => {
      const isReleased = status === 'claimed' || status === 'awaiting_approval';
      return isReleased && history[n - 1]?.[at]?.status === 'waiting';
    }),
  );
}

/** Notifies the node of what a person can decide from now on. What its node has still to describe is not among it. */
async function notifyOfAsked<I extends Identified>(
  { env }: Edge,
  { message: { controller_id }, rows }: LoadedMessage,
  { steps, statuses }: Progress<I>,
): Promise<void> {
  const described = steps.flatMap(({ type, item }) => (type === 'asked' ? [item.instruction_id] : []));
  const isNew = ({ instruction_id, status, approval }: InstructionRow) =>
    status === 'waiting' &&
    approval !== null &&
    statuses.some((one) => one.instruction_id === instruction_id && one.status === 'awaiting_approval');
  const asked = [...described, ...rows.filter(isNew).map((row) => row.instruction_id)];
  if (asked.length > 0) await pushChanged(env, controller_id, 'approvals', asked);
}

function journalStep(
  before: readonly TrackedInstruction[],
  { type, item, statuses }: ProgressStep<Identified>,
  by: ChangedBy,
): JournalDraft[] {
  if (type === 'started' || type === 'ended' || type === 'blocked') return journalChanges(before, statuses, by);
  return [{ ...by, instruction_id: item.instruction_id, kind: type }];
}

/** A message whose instructions ask a person, or do so no more, says so. */
function moveOpenMessage(
  { db }: Edge,
  { message: { message_id, ingest_status } }: LoadedMessage,
  statuses: readonly TrackedInstruction[],
): Plan {
  const status = openMessageStatus(statuses);
  if (status === ingest_status || !isOpenMessage(ingest_status)) return {};
  return {
    statements: [
      db
        .update(messages)
        .set({ ingest_status: moveMessage(ingest_status, status) })
        .where(and(eq(messages.message_id, message_id), inArray(messages.ingest_status, OPEN_MESSAGE_STATUSES))),
    ],
  };
}

function endMessage(
  { db }: Edge,
  { message: { message_id, ingest_status } }: LoadedMessage,
  status: 'executed' | 'failed',
  reply_due_at: number | null,
): Plan {
  return {
    statements: [
      db
        .update(messages)
        .set({ ingest_status: moveMessage(ingest_status, status), reply_due_at })
        .where(and(eq(messages.message_id, message_id), inArray(messages.ingest_status, OPEN_MESSAGE_STATUSES))),
    ],
    events: [{ topic: 'messages', type: status, subject_id: message_id }],
  };
}
