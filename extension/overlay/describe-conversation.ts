/** One conversation as a person reads it: its status, its next renewal, and what waits. Pure. */
import type { BridgeSnapshot, WaitingDelivery } from '../../schema/contracts/bridge-frames.ts';
import type { Platform } from '../../schema/contracts/common.ts';
import type { AutomationStatus } from '../../schema/contracts/conversations.ts';
import type { NextRenewal } from '../../schema/contracts/renewal-settings.ts';
import type { PeopleView } from '../people-messages.ts';
import type { PageAddress } from '../sites/facts.ts';
import type { Tone } from './describe-connection.ts';
import type { Format } from './format.ts';
import { reasonText } from './reasons.ts';
import type { Text } from './texts.ts';

type Conversation = BridgeSnapshot['conversations'][number];

/** A statement with a reason and a time. */
export interface Line {
  tone: Tone;
  text: Text;
  reason: Text | null;
  time: Text | null;
}

export type ConversationShown =
  /** There is nothing to control: `why` says so. */
  | { state: 'none'; why: Text; stopped: Text | null }
  | {
      state: 'known';
      platform: Platform;
      conversationId: string;
      status: AutomationStatus;
      pauseReason: Text | null;
      renewal: Line | null;
      waits: readonly Line[];
      limits: Text | null;
      stopped: Text | null;
    };

export interface Place {
  platform: Platform;
  address: PageAddress;
}

/** Whether something is being done now because the answer there does not end. */
export function isHelped({ helped }: PeopleView, { platform, address }: Place): boolean {
  return helped.some((one) => one.platform === platform && one.conversationId === address.conversationId);
}

export function describeConversation(view: PeopleView, place: Place, now: number, format: Format): ConversationShown {
  const stopped = stoppedText(view.snapshot, place.platform);
  const none = (key: string): ConversationShown => ({ state: 'none', why: { key }, stopped });
  const { kind, conversationId } = place.address;
  if (kind === 'other') return none('conversation_other_page');
  if (kind === 'temporary') return none('conversation_temporary');
  if (kind !== 'conversation' || conversationId === null) return none('conversation_new');
  if (view.snapshot === null) return none('conversation_not_connected');
  const found = view.snapshot.conversations.find(
    (one) => one.platform === place.platform && one.conversation_id === conversationId,
  );
  if (found === undefined) return none('conversation_unknown');
  return {
    state: 'known',
    platform: place.platform,
    conversationId,
    status: found.automation_status,
    pauseReason: found.pause_reason === null ? null : reasonText(found.pause_reason),
    renewal: found.next_renewal === null ? null : renewalLine(found.next_renewal, now, format),
    waits: found.waiting.map((wait) => waitLine(wait, now, format)),
    limits: limitsText(found),
    stopped,
  };
}

function stoppedText(snapshot: BridgeSnapshot | null, platform: Platform): Text | null {
  const pace = snapshot?.policy.paces.find((one) => one.platform === platform);
  return pace?.stopped_reason == null ? null : reasonText(pace.stopped_reason);
}

export function renewalLine({ due, at, reason }: NextRenewal, now: number, format: Format): Line {
  const isNow = due && reason === 'being_delivered';
  const text = { key: isNow ? 'renewal_sending' : due ? 'renewal_due' : at === null ? 'renewal_none' : 'renewal_at' };
  return {
    tone: due ? 'good' : 'calm',
    text,
    // The text says these by itself.
    reason: isNow || reason === 'due' ? null : reasonText(reason),
    time: timeText(at, now, format),
  };
}

export function waitLine({ kind, reason, until, attempt }: WaitingDelivery, now: number, format: Format): Line {
  const isSending = reason === 'sending';
  const key = isSending ? `sending_${kind}` : `waits_${kind}`;
  return {
    tone: isSending ? 'good' : 'wait',
    text: { key, args: [String(attempt)] },
    reason: isSending ? null : reasonText(reason),
    time: timeText(until, now, format),
  };
}

/** Null for a time that is over or unknown. */
function timeText(at: number | null, now: number, format: Format): Text | null {
  if (at === null || at <= now) return null;
  return { key: 'until', args: [format.clock(at), format.span(at - now)] };
}

function limitsText({ limits, counters }: Conversation): Text | null {
  if (limits === null || counters === null) return null;
  const of = (count: number, max: number | null) => `${count}/${max ?? '∞'}`;
  return {
    key: 'limits',
    args: [of(counters.renewals_in_row, limits.max_in_a_row), of(counters.renewals_today, limits.max_per_day)],
  };
}
