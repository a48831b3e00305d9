/** What claude.ai says when it refuses: status, JSON errors of both interfaces, limits. */
import type { DecodedEvent } from '../decoder.ts';
import type { ResponseHead } from '../facts.ts';
import { tokenOf } from './conversation-update.ts';

/** Times below this are seconds. */
const FIRST_MILLISECONDS = 100_000_000_000;

type Json = Readonly<Record<string, unknown>>;

/** Null for anything that is no JSON object. */
export function parseJson(text: string): Json | null {
  try {
    return objectOf(JSON.parse(text));
  } catch {
    return null;
  }
}

export function objectOf(value: unknown): Json | null {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Json) : null;
}

/** What a response says by its head alone; null when its body is to be read. */
export function headFailure(head: ResponseHead): DecodedEvent | null {
  if (head.headers['cf-mitigated'] === 'challenge') return { type: 'challenge' };
  // A page where data was due: of the account, the sign-in page; of anything else, a check before it.
  if (head.contentType === 'text/html') return { type: head.role === 'account' ? 'signed_out' : 'challenge' };
  return null;
}

/** What a response with an error status says. */
export function statusFailure(head: ResponseHead, body: string): DecodedEvent[] {
  const { send, status } = head;
  const json = parseJson(body);
  const isRepeat = status === 409 && send?.userMessageId;
  if (isRepeat)
    return [{ type: 'accepted', conversationId: send.conversationId, userMessageId: send.userMessageId ?? '' }];
  const failure = (json && (connectFailure(json) ?? apiFailure(json))) ?? plainFailure(status);
  const wait = retryAfterMs(head);
  if (failure.type === 'limit' && failure.resetsAt === null && failure.resetsInMs === null) {
    return [{ ...failure, resetsInMs: wait }];
  }
  if (failure.type !== 'error' || send) return refusal(failure, head);
  // Without a send it is no failure of a turn: an account of one kind is refused the other kind's interface.
  return head.role === 'account' && (status === 401 || status === 403)
    ? [{ type: 'signed_out' }]
    : [{ type: 'opaque', reason: failure.reason }];
}

/** A request that was wrong has been refused; a failure of the server may have happened after it took the message. */
function refusal(failure: DecodedEvent, { send, status }: ResponseHead): DecodedEvent[] {
  if (failure.type !== 'error' || !send || status >= 500) return [failure];
  const { conversationId, userMessageId } = send;
  return [{ type: 'refused', conversationId, userMessageId, reason: failure.reason }];
}

function plainFailure(status: number): DecodedEvent {
  if (status === 401) return { type: 'signed_out' };
  if (status === 429) return { type: 'limit', resetsInMs: null, resetsAt: null, reason: 'rate_limit' };
  return { type: 'error', reason: status === 529 ? 'overloaded' : `http_${status}` };
}

/** An error of Connect-RPC: as a body, or in the last envelope of a stream. */
export function connectFailure(json: Json | null): DecodedEvent | null {
  const error = objectOf(json?.error) ?? json;
  const code = tokenOf(error?.code);
  if (!code) return null;
  if (code === 'unauthenticated') return { type: 'signed_out' };
  if (code === 'resource_exhausted') return { type: 'limit', resetsInMs: null, resetsAt: null, reason: code };
  return { type: 'error', reason: code };
}

/** An error of the JSON interface: as a body, or as an event of a stream. */
export function apiFailure(json: Json): DecodedEvent | null {
  const error = objectOf(json.error);
  const type = tokenOf(error?.type);
  if (!error || !type) return null;
  const code = tokenOf(objectOf(error.details)?.error_code);
  if (type === 'authentication_error' || [type, code, error.message].includes('account_session_invalid')) {
    return { type: 'signed_out' };
  }
  // A limit of the account is JSON within the message. Without it, requests came too fast.
  const limit = typeof error.message === 'string' ? limitOf(parseJson(error.message)) : null;
  if (limit) return limit;
  if (type === 'rate_limit_error') return { type: 'limit', resetsInMs: null, resetsAt: null, reason: 'rate_limit' };
  return { type: 'error', reason: type === 'overloaded_error' ? 'overloaded' : type };
}

/** A limit that is reached; null for one that is only near. */
export function limitOf(limit: Json | null): DecodedEvent | null {
  if (limit?.type !== 'exceeded_limit') return null;
  return {
    type: 'limit',
    resetsInMs: null,
    resetsAt: timeOf(limit.resetsAt) ?? latestReset(objectOf(limit.windows)),
    reason: tokenOf(limit.representativeClaim) ?? 'exceeded_limit',
  };
}

/** Every window that is exceeded must have ended. */
function latestReset(windows: Json | null): number | null {
  const resets = Object.values(windows ?? {})
    .map(objectOf)
    .filter((window) => window?.status === 'exceeded_limit')
    .map((window) => timeOf(window?.resets_at));
  return resets.reduce((latest, one) => (one !== null && (latest === null || one > latest) ? one : latest), null);
}

/** Seconds, milliseconds or an ISO time as Unix milliseconds. */
function timeOf(value: unknown): number | null {
  const time = typeof value === 'string' ? Date.parse(value) : value;
  if (typeof time !== 'number' || !Number.isFinite(time) || time <= 0) return null;
  return Math.round(time < FIRST_MILLISECONDS ? time * 1000 : time);
}

function retryAfterMs(head: ResponseHead): number | null {
  const seconds = Number(head.headers['retry-after']);
  return Number.isFinite(seconds) && seconds > 0 ? seconds * 1000 : null;
}
