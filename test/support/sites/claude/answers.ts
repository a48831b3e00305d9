/** What a test says about the answers of the fake claude.ai, and how the site refuses. */
import type { Gate } from '../streaming.ts';
import type { SseStyle } from './completion.ts';
import type { StopName } from './conversations.ts';

export interface FakeAnswer {
  text: string;
  /** In how many pieces the text is written. */
  pieces?: number;
  /** The time between two of them. */
  everyMs?: number;
  thinking?: string;
  /** A tool runs after the text; the answer has a second text after that. */
  tool?: { output: string; after: string };
  stop?: StopName;
  /** The second half waits for it. */
  hold?: Gate;
  /** Connect: the timeline closes in the middle, as it does every few seconds. */
  closes?: boolean;
  /** Connect: an empty message follows, which marks that the messages before it were summarised. */
  divider?: boolean;
  /** Connect: the send is refused on the timeline, by this name. */
  refusal?: string;
  /** JSON: what happens in place of the answer, or to it. */
  failure?: Failure;
  style?: SseStyle;
}

/** `no_end`: the stream ends without its mark, though the answer is kept. `cut`: the connection breaks in the middle. */
export type Failure = 'burst' | 'limit' | 'overloaded' | 'conflict' | 'no_end' | 'cut' | 'challenge' | 'session';

/** When the limit of `limit` ends. */
export const LIMIT_RESETS_AT = 1_800_000_000;

interface Refusal {
  status: number;
  headers?: Record<string, string>;
  body: string | object;
}

const error = (type: string, message: string, details?: object) => ({
  type: 'error',
  error: { type, message, details },
});

export const CHALLENGE: Refusal = {
  status: 403,
  headers: { 'content-type': 'text/html; charset=utf-8', 'cf-mitigated': 'challenge' },
  body: '<!doctype html><title>Just a moment…</title><form id="challenge-form"></form>',
};

export const REFUSALS: Partial<Record<Failure, Refusal>> = {
  burst: { status: 429, body: error('rate_limit_error', 'Too many concurrent requests') },
  limit: {
    status: 429,
    body: error(
      'rate_limit_error',
      JSON.stringify({
        type: 'exceeded_limit',
        resetsAt: LIMIT_RESETS_AT,
        representativeClaim: 'five_hour',
        windows: {},
      }),
    ),
  },
  overloaded: { status: 529, body: error('overloaded_error', 'Overloaded') },
  conflict: { status: 409, body: error('conflict_error', 'A message with this id exists') },
  challenge: CHALLENGE,
  session: {
    status: 403,
    body: error('permission_error', 'Invalid session', { error_code: 'account_session_invalid' }),
  },
};

export function piecesOf(text: string, count: number): string[] {
  const units = [...text];
  const size = Math.max(1, Math.ceil(units.length / count));
  return Array.from({ length: Math.ceil(units.length / size) }, (_, at) =>
    units.slice(at * size, (at + 1) * size).join(''),
  );
}
