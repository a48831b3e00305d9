/** Approvals and what was done last, as a person reads them. Pure. */
import type { BridgeSnapshot, WaitingApproval } from '../../schema/contracts/bridge-frames.ts';
import { InstructionStateSchema } from '../../schema/contracts/instructions.ts';
import { isOpenStatus } from '../../schema/domain/instruction-machine.ts';
import { makeExact, makeExactLine, makeVisibleLine } from '../../schema/domain/visible.ts';
import type { EndedDelivery, PeopleView } from '../people-messages.ts';
import type { Tone } from './describe-connection.ts';
import type { Format } from './format.ts';
import { reasonText } from './reasons.ts';
import type { Text } from './texts.ts';

export interface ApprovalShown {
  instructionId: string;
  approvalHash: string;
  name: string;
  /** Exactly what would run, each character visible; null when it is too long to be shown here. */
  bytes: string | null;
  expires: Text;
}

/** Those that have not expired since the snapshot arrived. */
export function describeApprovals(view: PeopleView, now: number, format: Format): ApprovalShown[] {
  const { snapshot, snapshotAt } = view;
  if (snapshot === null) return [];
  const passedMs = Math.max(0, now - (snapshotAt ?? now));
  return snapshot.approvals.flatMap((approval) =>
    describeApproval(approval, approval.expires_in_ms - passedMs, format),
  );
}

function describeApproval(approval: WaitingApproval, leftMs: number, format: Format): ApprovalShown[] {
  if (leftMs <= 0) return [];
  const { instruction_id, approval_hash, name, display } = approval;
  return [
    {
      instructionId: instruction_id,
      approvalHash: approval_hash,
      name: makeExactLine(name),
      bytes: display === null ? null : makeExact(display),
      expires: { key: 'approval_expires', args: [format.span(leftMs)] },
    },
  ];
}

export interface DoneShown {
  /** Apart from all others. */
  key: string;
  tone: Tone;
  text: Text;
  /** A name or code that is shown as it is. */
  name: string | null;
  detail: Text | null;
  at: string;
  offers: { do: 'cancel'; instructionId: string } | { do: 'resubmit'; messageId: string } | null;
}

type Ingest = BridgeSnapshot['browser']['instruction_ingest']['recent_ingests'][number];
type Execute = BridgeSnapshot['browser']['instruction_ingest']['recent_executes'][number];
/** Messages that a person may submit again: a gate stopped them. */
const STOPPED_INGESTS: readonly string[] = ['system_paused', 'automation_paused', 'automation_busy', 'expired'];
const SHOWN_EACH = 3;

/**
 * The newest first, of each kind a few: those of a conversation; null: all. A delivery that was to begin a conversation and
 * did not belongs to none.
 */
export function describeDone(view: PeopleView, conversationId: string | null, format: Format): DoneShown[] {
  const ingest = view.snapshot?.browser.instruction_ingest;
  const isHere = (id: string | null) => conversationId === null || id === conversationId;
  const ingests = (ingest?.recent_ingests ?? []).filter((one) => isHere(one.conversation_id));
  const deliveries = view.deliveries.filter((one) => isHere(one.conversationId));
  const done = [
    ...ingests.slice(0, SHOWN_EACH).map((one) => ({ at: one.at, shown: ingestShown(one, format) })),
    ...(ingest?.recent_executes ?? [])
      // An agent of an earlier version does not name it.
      .filter((one) => one.conversation_id === undefined || isHere(one.conversation_id))
      .slice(0, SHOWN_EACH)
      .map((one) => ({ at: one.at, shown: executeShown(one, format) })),
    ...deliveries.slice(0, SHOWN_EACH).map((one) => ({ at: one.at, shown: deliveryShown(one, format) })),
  ];
  return done.sort((a, b) => b.at - a.at).map(({ shown }) => shown);
}

function ingestShown({ message_id, ingest_status, at }: Ingest, format: Format): DoneShown {
  const isStopped = STOPPED_INGESTS.includes(ingest_status);
  const isBad =
    ingest_status === 'failed' || ingest_status === 'capture_mismatch' || ingest_status === 'parse_error_only';
  return {
    key: message_id,
    tone: isStopped ? 'wait' : isBad ? 'bad' : 'calm',
    text: { key: `ingest_${ingest_status}` },
    name: null,
    detail: null,
    at: format.clock(at),
    offers: isStopped ? { do: 'resubmit', messageId: message_id } : null,
  };
}

function executeShown({ instruction_id, name, status, duration_ms, at }: Execute, format: Format): DoneShown {
  const known = InstructionStateSchema.safeParse(status);
  const isOpen = known.success && isOpenStatus(known.data);
  const tone = status === 'succeeded' ? 'good' : isOpen ? 'wait' : 'bad';
  return {
    key: instruction_id,
    tone,
    text: known.success ? { key: `instruction_${status}` } : reasonText(status),
    name: makeVisibleLine(name),
    detail: duration_ms === null || isOpen ? null : { key: 'took', args: [format.span(duration_ms)] },
    at: format.clock(at),
    offers: isOpen ? { do: 'cancel', instructionId: instruction_id } : null,
  };
}

function deliveryShown({ outcome, reason, at, conversationId }: EndedDelivery, format: Format): DoneShown {
  const tone = outcome === 'delivered' ? 'good' : outcome === 'deferred' ? 'wait' : 'bad';
  return {
    key: `delivery ${at} ${conversationId ?? ''}`,
    tone,
    text: { key: `delivery_${outcome}` },
    name: null,
    detail: reason === null ? null : reasonText(reason),
    at: format.clock(at),
    offers: null,
  };
}
