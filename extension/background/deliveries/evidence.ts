/**
 * What the requests of a page prove about a message after send was pressed: pure. The page's own request is the proof: its
 * text and its status, or the site's acknowledgement on a stream where the site gives one.
 */
import { isAlteredText, isSameText } from '../../lib/same-text.ts';
import type { DecodedEvent } from '../../sites/decoder.ts';
import type { SeenSend } from '../../sites/facts.ts';
import type { TrafficEvent } from '../traffic.ts';
import type { End } from './end.ts';
import { endOf } from './end.ts';

/** After a success status, how long the body may still say that the message was refused. */
const SETTLE_MS = 1_000;
/** After a failure status, how long the end of its body is awaited: it may say why, and until when. */
const FAILURE_BODY_MS = 5_000;
/** A page repeats a request that an overloaded site has refused. */
const PAGE_RETRY_MS = 5_000;
/** After a refused preparation, how long the send may still follow: for some sites it is not needed. */
const PREPARE_MS = 3_000;
/** How long no request at all is awaited, after the press or the last preparation that the site took. */
const NO_REQUEST_MS = 8_000;
const MAX_REQUESTS = 8;

type Verdict = 'taken' | 'refused' | 'limit' | 'challenge' | 'signed_out' | 'error';

interface SeenRequest {
  requestId: string;
  /**
   * `altered`: what an editor makes of the text. `different`: another text, as of a person who has replaced it, which
   * proves nothing of this one. `unread`: its body could not be read. `other`: no new message, such as a question asked
   * again.
   */
  match: 'same' | 'altered' | 'different' | 'unread' | 'other';
  send: SeenSend | null;
  at: number;
  status: number | null;
  statusAt: number;
  isChallenge: boolean;
  retryAfterMs: number | null;
  /** What the body or a stream says of the message; the first word counts. */
  verdict: Verdict | null;
  reason: string | null;
  isEnded: boolean;
  isBroken: boolean;
}

export interface Evidence {
  /** The press, or the last preparation of a send that the site has taken since. */
  activeAt: number;
  requests: readonly SeenRequest[];
  /** The last preparation of a send that the site refused. */
  prepare: { status: number; isChallenge: boolean; retryAfterMs: number | null; at: number } | null;
}

export function noEvidence(pressedAt: number): Evidence {
  return { activeAt: pressedAt, requests: [], prepare: null };
}

/** What was sent, and from where. */
export interface Sent {
  tabId: number;
  conversationId: string | null;
  text: string;
}

function newRequest(event: TrafficEvent, match: SeenRequest['match'], send: SeenSend | null): SeenRequest {
  const { requestId, at } = event;
  return {
    requestId,
    match,
    send,
    at,
    status: null,
    statusAt: 0,
    isChallenge: false,
    retryAfterMs: null,
    verdict: null,
    reason: null,
    isEnded: false,
    isBroken: false,
  };
}

/** The same text may be on its way to several conversations, as that of a renewal is. */
function isToAnother({ conversationId }: SeenSend, sent: Sent): boolean {
  return conversationId !== null && sent.conversationId !== null && conversationId !== sent.conversationId;
}

/** A send of this message in an event: of its tab, or of no tab when the text is the same. */
function ownSend(event: TrafficEvent, sent: Sent): SeenRequest | null {
  const isOwnTab = event.tabId === sent.tabId;
  if (event.role !== 'send' || (!isOwnTab && event.tabId !== -1)) return null;
  if (event.type === 'status') return isOwnTab ? newRequest(event, 'unread', null) : null;
  if (event.type !== 'send') return null;
  if (event.send.kind !== 'message') return isOwnTab ? newRequest(event, 'other', event.send) : null;
  const { text } = event.send;
  const isSame = text !== null && isSameText(text, sent.text);
  if (!isOwnTab && (!isSame || isToAnother(event.send, sent))) return null;
  return newRequest(event, matchOf(text, sent.text), event.send);
}

function matchOf(text: string | null, typed: string): SeenRequest['match'] {
  if (text === null) return 'unread';
  if (isSameText(text, typed)) return 'same';
  return isAlteredText(text, typed) ? 'altered' : 'different';
}

function judged(request: SeenRequest, verdict: Verdict, reason: string | null = null): SeenRequest {
  return request.verdict === null ? { ...request, verdict, reason } : request;
}

function limitMs(event: Extract<DecodedEvent, { type: 'limit' }>, at: number): number | null {
  if (event.resetsInMs !== null) return event.resetsInMs;
  return event.resetsAt === null ? null : Math.max(0, event.resetsAt - at);
}

/** What an event of the request's own body says of it. */
function withBody(request: SeenRequest, event: DecodedEvent, at: number): SeenRequest {
  switch (event.type) {
    case 'accepted':
    case 'progress':
    case 'final':
    case 'incomplete':
    case 'handoff':
      return judged(request, 'taken');
    case 'refused':
      return judged(request, 'refused', event.reason);
    case 'limit':
      return judged({ ...request, retryAfterMs: request.retryAfterMs ?? limitMs(event, at) }, 'limit');
    case 'challenge':
    case 'signed_out':
      return judged(request, event.type);
    case 'error':
      return judged(request, 'error', event.reason);
    case 'opaque':
    case 'account':
    case 'reading':
    case 'drift':
      return request;
    default:
      return event satisfies never;
  }
}

/** What a stream that is not the request's own says of it: only what names the message. */
function withStream(request: SeenRequest, event: DecodedEvent): SeenRequest {
  const id = request.send?.userMessageId ?? null;
  if (id === null || (event.type !== 'accepted' && event.type !== 'refused') || event.userMessageId !== id)
    return request;
  return event.type === 'accepted' ? judged(request, 'taken') : judged(request, 'refused', event.reason);
}

function withEvent(request: SeenRequest, event: TrafficEvent): SeenRequest {
  const isOwn = request.requestId === event.requestId;
  if (event.type === 'decoded') {
    const needsStream = request.send?.isAcknowledgedByStream === true;
    return isOwn && !needsStream ? withBody(request, event.event, event.at) : withStream(request, event.event);
  }
  if (!isOwn) return request;
  switch (event.type) {
    case 'send':
      return request;
    case 'status': {
      const { status, isChallenge, at } = event;
      return {
        ...request,
        status,
        isChallenge,
        statusAt: at,
        retryAfterMs: event.retryAfterMs ?? request.retryAfterMs,
      };
    }
    case 'ended':
      return { ...request, isEnded: true, isBroken: event.error !== null };
    default:
      return event satisfies never;
  }
}

/** The evidence with one more event; the same object when the event says nothing of this message. */
export function withTraffic(evidence: Evidence, event: TrafficEvent, sent: Sent): Evidence {
  if (event.type === 'status' && event.role === 'prepare' && event.tabId === sent.tabId) {
    const { status, isChallenge, retryAfterMs, at } = event;
    if (status < 400) return { ...evidence, activeAt: Math.max(at, evidence.activeAt) };
    return { ...evidence, prepare: { status, isChallenge, retryAfterMs, at } };
  }
  const isKnown = evidence.requests.some(({ requestId }) => requestId === event.requestId);
  const added = isKnown || evidence.requests.length >= MAX_REQUESTS ? null : ownSend(event, sent);
  const before = added === null ? evidence.requests : [...evidence.requests, added];
  const requests = before.map((request) => withEvent(request, event));
  const isSame = requests.every((request, index) => request === evidence.requests[index]);
  return isSame && added === null ? evidence : { ...evidence, requests };
}

export type Judgement =
  | { type: 'end'; end: End; request: SeenRequest | null }
  /** The page must be looked at: nothing was requested, as far as can be seen. */
  | { type: 'look'; end: End }
  | { type: 'wait'; until: number };

const wait = (until: number): Judgement => ({ type: 'wait', until });

function failureOf(status: number, isChallenge: boolean, retryAfterMs: number | null): End {
  const details = { httpStatus: status, retryAfterMs };
  if (isChallenge) return endOf('failed', 'security_challenge', details);
  if (status === 401 || status === 403) return endOf('failed', 'signed_out', details);
  if (status === 429) return endOf('failed', 'rate_limited', details);
  return endOf('failed', `http_${status}`, details);
}

/** The end that the word of the site causes; null while it has not said any, or has taken the message. */
function endOfVerdict({ verdict, reason, status, retryAfterMs }: SeenRequest): End | null {
  switch (verdict) {
    case null:
    case 'taken':
      return null;
    case 'refused':
      return endOf('failed', reason ?? 'refused_by_site');
    case 'limit':
      return endOf('failed', 'rate_limited', { httpStatus: status, retryAfterMs });
    case 'challenge':
      return endOf('failed', 'security_challenge', { httpStatus: status });
    case 'signed_out':
      return endOf('failed', 'signed_out', { httpStatus: status });
    case 'error':
      return endOf('uncertain', `site_error: ${reason ?? ''}`.slice(0, 200), { httpStatus: status });
    default:
      return verdict satisfies never;
  }
}

function judgeFailure(request: SeenRequest, status: number, now: number, endBy: number): Judgement {
  const { isChallenge, retryAfterMs, statusAt, verdict, isEnded } = request;
  const repeatsUntil = Math.min(statusAt + PAGE_RETRY_MS, endBy);
  if (status >= 500 && !isChallenge && now < repeatsUntil) return wait(repeatsUntil);
  const bodyUntil = Math.min(statusAt + FAILURE_BODY_MS, endBy);
  if (!isChallenge && verdict === null && !isEnded && now < bodyUntil) return wait(bodyUntil);
  const ofBody = verdict === 'error' || status === 429 ? null : endOfVerdict(request);
  const end = ofBody ?? failureOf(status, isChallenge, retryAfterMs);
  return { type: 'end', request, end: endOf(end.outcome, end.reason, { ...end, httpStatus: status, retryAfterMs }) };
}

function judgeSuccess(request: SeenRequest, status: number, now: number, endBy: number): Judgement {
  const { verdict, send, isEnded, statusAt, isChallenge } = request;
  if (isChallenge) return { type: 'end', request, end: endOf('failed', 'security_challenge') };
  const refused = endOfVerdict(request);
  if (refused !== null) return { type: 'end', request, end: refused };
  const isAcknowledged = send?.isAcknowledgedByStream === true;
  if (verdict === null && isAcknowledged) {
    if (now < endBy) return wait(endBy);
    return { type: 'end', request, end: endOf('uncertain', 'no_acknowledgement', { httpStatus: status }) };
  }
  const settledAt = Math.min(statusAt + SETTLE_MS, endBy);
  if (verdict === null && !isEnded && now < settledAt) return wait(settledAt);
  const reason = request.match === 'altered' ? 'text_changed_by_page' : null;
  return { type: 'end', request, end: endOf('delivered', reason, { httpStatus: status }) };
}

function judgeRequest(request: SeenRequest, sent: Sent, now: number, endBy: number): Judgement {
  const { status, send, isEnded } = request;
  if (send !== null && isToAnother(send, sent)) {
    return { type: 'end', request, end: endOf('uncertain', 'sent_to_other_conversation', { httpStatus: status }) };
  }
  if (status !== null) {
    return status >= 400 ? judgeFailure(request, status, now, endBy) : judgeSuccess(request, status, now, endBy);
  }
  const until = isEnded ? Math.min(request.at + PAGE_RETRY_MS, endBy) : endBy;
  if (now < until) return wait(until);
  return { type: 'end', request, end: endOf('uncertain', isEnded ? 'network_error' : 'no_response') };
}

/** Another text than the one that was typed has been sent from the page. */
export function isOtherSent({ requests }: Evidence): boolean {
  return requests.some(({ match }) => match === 'different');
}

function judgeNothing(evidence: Evidence, now: number, endBy: number): Judgement {
  // What was refused in the preparation may have been the other text.
  const prepare = isOtherSent(evidence) ? null : evidence.prepare;
  const { activeAt } = evidence;
  const until = Math.min(prepare === null ? activeAt + NO_REQUEST_MS : prepare.at + PREPARE_MS, endBy);
  if (now < until) return wait(until);
  const end = prepare && failureOf(prepare.status, prepare.isChallenge, prepare.retryAfterMs);
  return { type: 'look', end: end ?? endOf('failed', 'not_sent') };
}

/**
 * What the evidence says at `now`. A page may repeat its request: one that was taken decides, else the last one. Another
 * text is no request of this message.
 */
export function judge(evidence: Evidence, sent: Sent, now: number, endBy: number): Judgement {
  const requests = evidence.requests.filter(({ match }) => match !== 'other' && match !== 'different');
  const judgements = requests.map((request) => judgeRequest(request, sent, now, endBy));
  const taken = judgements.find((one) => one.type === 'end' && one.end.outcome === 'delivered');
  const waits = judgements.filter((one) => one.type === 'wait');
  if (taken) return taken;
  if (waits.length > 0) return wait(Math.min(...waits.map(({ until }) => until)));
  return judgements.at(-1) ?? judgeNothing(evidence, now, endBy);
}
