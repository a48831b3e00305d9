/** What waits for a person, as this page shows it to the reader in notifications: which of it is news. Pure. */
import type { NoticeCause } from '../../../schema/contracts/notices.ts';
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

const MAX_KNOWN = 300;

/** What is news, and the keys to remember: those of all that still waits. */
export function newsOf(
  waiting: readonly WaitingObject[],
  known: readonly string[],
): { news: WaitingObject[]; known: string[] } {
  return {
    news: waiting.filter(({ key }) => !known.includes(key)),
    known: waiting.map(({ key }) => key).slice(0, MAX_KNOWN),
  };
}
