/**
 * Notices to people: each object that waits for a person is announced once for as long as it waits. `decideNotices` takes
 * what waits and what has been announced, and says what to announce, what to try now, and what has ceased to wait. A try
 * counts when it begins: one whose outcome was lost is repeated like one that failed, and the last one fails.
 */
import type { NoticeCause, NoticeSettings, PersonNoticeState } from '../contracts/notices.ts';
import { INSTRUCTION, PERSON_NOTICE } from '../defaults.ts';
import { quietUntil } from './local-time.ts';
import { stateMachine } from './state-machine.ts';

export const PERSON_NOTICE_TRANSITIONS = {
  waiting: ['sent'],
  sent: ['sent', 'accepted', 'failed'],
  accepted: [],
  failed: [],
} as const satisfies Record<PersonNoticeState, readonly PersonNoticeState[]>;

/** Throws for a move that the table forbids. */
export const movePersonNotice = stateMachine<PersonNoticeState>('person notice', PERSON_NOTICE_TRANSITIONS).move;

interface Cause {
  /** Where the status page shows the object. */
  path: (objectId: string) => string;
  /** How long it has to wait before that is news. */
  after_ms: number;
  /** How long its end is waited for: a person may leave it as it is for ever. */
  followed_ms: number;
}
const { no_leader_ms, followed_ms } = PERSON_NOTICE;
const ALWAYS = Number.POSITIVE_INFINITY;

export const NOTICE_CAUSE: Readonly<Record<NoticeCause, Cause>> = {
  approval: { path: (id) => `/instructions/${id}`, after_ms: 0, followed_ms: ALWAYS },
  interrupted: { path: (id) => `/instructions/${id}`, after_ms: 0, followed_ms },
  blocked_step: { path: (id) => `/tasks/${id}`, after_ms: 0, followed_ms },
  stopped_browser: { path: (id) => `/browsers/${encodeURIComponent(id)}`, after_ms: 0, followed_ms: ALWAYS },
  paused_by_breaker: { path: (id) => `/conversations/${id}`, after_ms: 0, followed_ms },
  no_leader: { path: () => '/leadership', after_ms: no_leader_ms, followed_ms: ALWAYS },
};

/** The object of the cause `no_leader`. */
export const LEADER_OBJECT = 'leader';

export interface Waiting {
  cause: NoticeCause;
  object_id: string;
  /** The platform of a browser, the index of a step; empty when the object says it all. */
  part: string;
  /** When it began to wait. */
  since: number;
}

/** A notice whose object has not ceased to wait, as far as is stored. */
export interface OpenNotice extends Waiting {
  notice_id: string;
  state: PersonNoticeState;
  attempt_count: number;
  due_at: number | null;
  sent_at: number | null;
  /** Whether its object still waits. */
  waits: boolean;
}

export type NoticeRecord = Omit<OpenNotice, 'waits'> & { ended_at: number | null };

export interface NoticeDecision {
  /** Objects that have begun to wait, in the form in which they are stored. */
  begun: NoticeRecord[];
  /** Notices that change: a try begins, quiet hours move it, or its object has ceased to wait. */
  changed: NoticeRecord[];
  /** Those of both whose try begins now. */
  tried: string[];
}

interface Facts {
  waiting: readonly Waiting[];
  open: readonly OpenNotice[];
  hours: Pick<NoticeSettings, 'quiet_hours' | 'time_zone'>;
  now: number;
}

export function decideNotices({ waiting, open, hours, now }: Facts, newId: () => string): NoticeDecision {
  const quiet = quietUntil(hours, now);
  let left: number = PERSON_NOTICE.sent_per_look;
  const begin = (notice: NoticeRecord): NoticeRecord => {
    if (notice.due_at === null || notice.due_at > now) return notice;
    if (wasLastTry(notice)) return { ...notice, state: movePersonNotice(notice.state, 'failed'), due_at: null };
    if (quiet !== null) return { ...notice, due_at: quiet };
    if (left === 0) return notice;
    left -= 1;
    return beginTry(notice, now);
  };
  const changed = open.flatMap(({ waits, ...notice }): NoticeRecord[] => {
    const stored: NoticeRecord = { ...notice, ended_at: null };
    const isFollowed = now - notice.since < NOTICE_CAUSE[notice.cause].followed_ms;
    if (!waits || !isFollowed) return [{ ...stored, due_at: null, ended_at: now }];
    const next = begin(stored);
    return next === stored ? [] : [next];
  });
  const begun = waiting.map((one) =>
    begin({
      ...one,
      notice_id: newId(),
      state: 'waiting' as const,
      attempt_count: 0,
      due_at: now + NOTICE_CAUSE[one.cause].after_ms,
      sent_at: null,
      ended_at: null,
    }),
  );
  const before = new Map(open.map((one) => [one.notice_id, one.attempt_count]));
  const tried = [...changed, ...begun]
    .filter(({ notice_id, attempt_count }) => attempt_count > (before.get(notice_id) ?? 0))
    .map(({ notice_id }) => notice_id);
  return { begun, changed, tried };
}

const wasLastTry = ({ attempt_count }: Pick<NoticeRecord, 'attempt_count'>) =>
  attempt_count > PERSON_NOTICE.retry_after_ms.length;

/** After the last try its outcome decides; when that is lost, the notice has failed at `due_at`. */
function beginTry(notice: NoticeRecord, now: number): NoticeRecord {
  const delay = PERSON_NOTICE.retry_after_ms[notice.attempt_count] ?? PERSON_NOTICE.last_outcome_ms;
  return {
    ...notice,
    state: movePersonNotice(notice.state, 'sent'),
    attempt_count: notice.attempt_count + 1,
    due_at: now + delay,
    sent_at: notice.sent_at ?? now,
  };
}

/** What the outcome of a try makes of its notice; `error` is null when the receiver accepted it. */
export function endTry(
  { state, due_at, attempt_count }: Pick<NoticeRecord, 'state' | 'due_at' | 'attempt_count'>,
  error: string | null,
  now: number,
): { state: PersonNoticeState; due_at: number | null; last_error: string | null; accepted_at: number | null } {
  if (error === null) {
    return { state: movePersonNotice(state, 'accepted'), due_at: null, last_error: null, accepted_at: now };
  }
  const isLast = wasLastTry({ attempt_count });
  const next = movePersonNotice(state, isLast ? 'failed' : 'sent');
  return { state: next, due_at: isLast ? null : due_at, last_error: error, accepted_at: null };
}

/**
 * When an approval expires. Without notices, a while after the ask. With them, that while begins when the notice is
 * accepted, and ends at the latest an hour after the ask. All times are Unix milliseconds.
 */
export function approvalExpiresAt(askedAt: number, notice: { accepted_at: number | null } | null): number {
  if (notice === null) return askedAt + INSTRUCTION.approval_expiry_ms;
  const latest = askedAt + INSTRUCTION.approval_expiry_max_ms;
  return notice.accepted_at === null ? latest : Math.min(latest, notice.accepted_at + INSTRUCTION.approval_expiry_ms);
}
