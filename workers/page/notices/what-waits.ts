/** What waits for a person, as this page announces it: which of it is news, and when it is announced. Pure. */
import type { NoticeCause, NoticeHours } from '../../../schema/contracts/notices.ts';
import type { WaitingForPerson } from '../../../schema/contracts/waiting.ts';
import { quietUntil } from '../../../schema/domain/local-time.ts';
import { NOTICE_CAUSE } from '../../../schema/domain/person-notice.ts';

/** An object that waits: the key says whether it has been shown. */
export interface WaitingObject {
  key: string;
  cause: NoticeCause;
  object_id: string;
  path: string;
}

export function waitingObject(cause: NoticeCause, object_id: string, part = ''): WaitingObject {
  return { key: `${cause} ${object_id} ${part}`, cause, object_id, path: NOTICE_CAUSE[cause].path(object_id) };
}

export function objectsOf(waiting: WaitingForPerson): WaitingObject[] {
  const { approvals, interrupted, blocked, stopped, paused } = waiting;
  return [
    ...approvals.map(({ instruction_id }) => waitingObject('approval', instruction_id)),
    ...interrupted.map(({ instruction_id }) => waitingObject('interrupted', instruction_id)),
    ...blocked.map(({ task_id }) => waitingObject('blocked_step', task_id)),
    ...stopped.map(({ client_id, platform }) => waitingObject('stopped_browser', client_id, platform)),
    ...paused.map(({ local_conversation_id }) => waitingObject('paused_by_breaker', local_conversation_id)),
  ];
}

/** More news than that are one summary. */
export const MOST_EACH = 3;
const MAX_KNOWN = 1_000;

export interface Look {
  waiting: readonly WaitingObject[];
  /** More waits than was listed: what is not listed may still wait. */
  isCut: boolean;
  /** What has been shown; null at the first look. */
  known: readonly string[] | null;
  hours: NoticeHours;
  now: number;
}

export interface News {
  /** Shown one by one. */
  each: WaitingObject[];
  /** How many are shown as one; 0: none. */
  summary: number;
  /** The keys to remember: of all that still waits. Null before the first look. */
  known: readonly string[] | null;
}

/** In quiet hours nothing is shown, and nothing counts as shown: it is news when they end. */
export function newsOf({ waiting, isCut, known, hours, now }: Look): News {
  if (quietUntil(hours, now) !== null) return { each: [], summary: 0, known };
  const news = waiting.filter(({ key }) => known === null || !known.includes(key));
  const isSummary = news.length > (known === null ? 0 : MOST_EACH);
  const keys = waiting.map(({ key }) => key);
  const kept = isCut ? (known ?? []).filter((key) => !keys.includes(key)) : [];
  return {
    each: isSummary ? [] : news,
    summary: isSummary ? news.length : 0,
    known: [...keys, ...kept].slice(0, MAX_KNOWN),
  };
}
