/**
 * What a person may hand to somebody who helps: versions, the connection's history, counts, drift, error codes and what
 * went wrong. It has no token, no text and no id of a conversation, and of the agent only its address. Pure.
 */
import type { PeopleView } from '../../people-messages.ts';
import type { PastConnection } from './state.ts';

const MAX_DETAIL = 120;
/** Anything that could be an id, a token or a path: addresses, long words, and shorter ones with a digit. */
const ADDRESS = /\b[a-z][a-z0-9+.-]*:\/\/[^\s"']+/gi;
const LONG_WORD = /[\w%+/=-]{20,}|(?=[\w%+/=-]*\d)[\w%+/=-]{12,}/g;
/** A code of this system, such as `answer_not_taken_from_page`. */
const CODE = /^[a-z]{1,16}(?:_[a-z]{1,16})+$/;

/** A technical note without what could name a person, a conversation or a secret. */
export function withoutIds(text: string): string {
  const plain = text.replace(ADDRESS, '<address>').replace(LONG_WORD, (word) => (CODE.test(word) ? word : '<id>'));
  return plain.slice(0, MAX_DETAIL);
}

export interface DiagnosticsInput {
  view: PeopleView;
  history: readonly PastConnection[];
  browser: string;
  manifestVersion: number;
  now: number;
}

export function diagnosticsOf({ view, history, browser, manifestVersion, now }: DiagnosticsInput): string {
  const { version, connection, snapshot, snapshotAt, queue, setAside, drift, lines, deliveries, sites } = view;
  const withoutReasonIds = <T extends { reason: string | null }>(one: T): T => ({
    ...one,
    reason: one.reason === null ? null : withoutIds(one.reason),
  });
  const seconds = (at: number | null) => (at === null ? null : Math.round((now - at) / 1_000));
  const report = {
    extension: version,
    manifest_version: manifestVersion,
    browser,
    written_at: new Date(now).toISOString(),
    connection: withoutReasonIds(connection),
    connection_history: history.map(withoutReasonIds),
    queue: { messages: queue.messages, oldest_age_sec: seconds(queue.oldestAt), is_full: queue.isFull },
    messages_set_aside: setAside,
    sites,
    drift: drift.map((one) => ({ ...one, what: withoutIds(one.what) })),
    lines: lines.map(({ platform, text, at, count }) => ({
      platform,
      text: withoutIds(text),
      count,
      age_sec: seconds(at),
    })),
    deliveries: deliveries.map(({ platform, outcome, reason, at }) => ({
      platform,
      outcome,
      reason: reason === null ? null : withoutIds(reason),
      age_sec: seconds(at),
    })),
    snapshot: snapshot && {
      age_sec: seconds(snapshotAt),
      system: snapshot.system,
      edge_connected: snapshot.edge_connected,
      approvals_waiting: snapshot.approvals_waiting,
      conversations: snapshot.conversations.map(
        ({ platform, automation_status, pause_reason, next_renewal, waiting }) => ({
          platform,
          automation_status,
          pause_reason,
          next_renewal: next_renewal && { ...next_renewal, reason: withoutIds(next_renewal.reason) },
          waiting: waiting.map(({ kind, reason }) => ({ kind, reason: withoutIds(reason) })),
        }),
      ),
      paces: snapshot.policy.paces,
    },
  };
  return `${JSON.stringify(report, null, 2)}\n`;
}
