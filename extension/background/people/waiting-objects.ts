/** What of a view waits for a person, when it may be announced, and which of it has been. Pure. */
import type { Platform } from '../../../schema/contracts/common.ts';
import { PLATFORMS } from '../../../schema/contracts/common.ts';
import type { WaitingNotice } from '../../../schema/contracts/notices.ts';
import { CONVERSATION_BREAKER, PERSON_NOTICE } from '../../../schema/defaults.ts';
import { quietUntil } from '../../../schema/domain/local-time.ts';
import { NOTICE_CAUSE } from '../../../schema/domain/person-notice.ts';
import type { PeopleView } from '../../people-messages.ts';

/** Older ones are forgotten. */
export const MAX_KNOWN = 300;

/** Where a press on the notification leads. */
export type WaitingPlace =
  | { at: 'approval'; instruction_id: string }
  | { at: 'chat'; platform: Platform; conversation_id: string }
  | { at: 'page'; url: string }
  | { at: 'options' };

export interface WaitingObject {
  /** Also the id of its notification. */
  key: string;
  title: 'notice_approval' | 'notice_stopped' | 'notice_paused' | (typeof PAGE_TITLES)[WaitingNotice['cause']];
  message: string;
  place: WaitingPlace;
}

const APPROVAL = 'approval ';
/** What the agent hears from the edge, of any node: it is decided on the status page. */
const PAGE_TITLES = {
  interrupted: 'notice_interrupted',
  blocked_step: 'notice_blocked',
  no_leader: 'notice_no_leader',
} as const satisfies Record<WaitingNotice['cause'], string>;
const PAGE_KEY = /^(interrupted|blocked_step|no_leader) /;
const hostOf = (platform: Platform): string => new URL(PLATFORMS[platform].home_url).host;

/** What waits; null while that is not known. It has no parameter of a call, and no title of a chat. */
export function waitingIn({ connection, snapshot }: PeopleView): WaitingObject[] | null {
  if (connection.state !== 'connected' || snapshot === null || !snapshot.system.is_known) return null;
  const { approvals, conversations, policy } = snapshot;
  const stopped = policy.paces.filter(({ stopped_reason }) => stopped_reason !== null);
  const broken = conversations.filter(
    ({ pause_reason }) => pause_reason !== null && pause_reason in CONVERSATION_BREAKER,
  );
  return [
    ...approvals.map(({ instruction_id, name }) => ({
      key: APPROVAL + instruction_id,
      title: 'notice_approval' as const,
      message: name,
      place: { at: 'approval' as const, instruction_id },
    })),
    ...stopped.map(({ platform }) => ({
      key: `stopped ${platform}`,
      title: 'notice_stopped' as const,
      message: hostOf(platform),
      place: { at: 'options' as const },
    })),
    ...broken.map(({ platform, conversation_id, local_conversation_id }) => ({
      key: `paused ${local_conversation_id}`,
      title: 'notice_paused' as const,
      message: hostOf(platform),
      place: { at: 'chat' as const, platform, conversation_id },
    })),
    ...(snapshot.notices_waiting ?? []).map((one) => ofPage(one, snapshot.page_origin)),
  ];
}

function ofPage({ cause, object_id, part }: WaitingNotice, origin: string | null): WaitingObject {
  const page = origin === null ? null : URL.parse(NOTICE_CAUSE[cause].path(object_id), origin);
  const isWeb = page !== null && /^https?:$/.test(page.protocol);
  const place: WaitingPlace = isWeb ? { at: 'page', url: page.href } : { at: 'options' };
  return { key: `${cause} ${object_id} ${part}`, title: PAGE_TITLES[cause], message: object_id, place };
}

/**
 * Whether the snapshot does not say if that object still waits: the agent has not read it yet, the conversation is not open,
 * or there are more of its kind than are listed.
 */
export function isUnsaid(key: string, { snapshot }: PeopleView): boolean {
  if (snapshot === null) return true;
  const [kind, id] = key.split(' ');
  if (kind === 'stopped') return !snapshot.policy.paces.some(({ platform }) => platform === id);
  if (kind === 'paused') return !snapshot.conversations.some((one) => one.local_conversation_id === id);
  if (!PAGE_KEY.test(key)) return false;
  const { notices_waiting } = snapshot;
  return (
    notices_waiting === null || notices_waiting.filter(({ cause }) => cause === kind).length >= PERSON_NOTICE.shown
  );
}

/** The end of the quiet hours of notices that the edge has; null when nothing is quiet now. */
export function quietEnd({ snapshot }: PeopleView, now: number): number | null {
  const hours = snapshot?.notice_hours ?? null;
  return hours === null ? null : quietUntil(hours, now);
}

/** These wait once: an approval, an interrupted instruction, and the gap after a term. */
const ONCE = /^(approval|interrupted|no_leader) /;

/**
 * The keys to remember. One that has ceased to wait is forgotten, so that it is shown when it waits again; but for what waits
 * once, and while the agent has no edge, of which it would hear what waits.
 */
export function keysToKeep(known: readonly string[], waiting: readonly string[], isCertain: boolean): string[] {
  const kept = known.filter((key) => !isCertain || ONCE.test(key) || waiting.includes(key));
  const added = waiting.filter((key) => !kept.includes(key));
  return [...kept, ...added].slice(-MAX_KNOWN);
}
