/**
 * Identifiers. Every id is `<prefix>_<ulid>` in lower case. Ids sort by the time they were made, so lists page by id without
 * OFFSET, and the prefix shows in a log line what an id names.
 */
import { monotonicFactory } from 'ulid';

export const ID_PREFIXES = {
  task: 'task',
  step: 'step',
  run: 'run',
  message: 'msg',
  instruction: 'ins',
  job: 'job',
  conversation: 'lc',
  link: 'link',
  command: 'cmd',
  artifact: 'art',
  token: 'tok',
  grant: 'grant',
  tick: 'tick',
  request: 'req',
  notice: 'ntc',
} as const;

export type IdKind = keyof typeof ID_PREFIXES;

const ulid = monotonicFactory();

/** A new id of that kind; `now` (Unix milliseconds) becomes its sortable part. */
export function newId(kind: IdKind, now: number): string {
  return `${ID_PREFIXES[kind]}_${ulid(now).toLowerCase()}`;
}
