/**
 * Identifiers. Every id is `<prefix>_<ulid>` in lower case. Ids sort by the time they were made, so lists page by id without
 * OFFSET, and the prefix shows in a log line what an id names.
 */
import { decodeTime, encodeTime, monotonicFactory } from 'ulid';

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

/** What is behind the prefix: the time it was made, then chance. It orders ids of different kinds. */
export const placeOf = (id: string): string => id.slice(id.indexOf('_') + 1);

/** When what has that place was made. */
export const timeOf = (place: string): number => decodeTime(place);

/** Behind the place of everything that was made before that time. */
export const placeAt = (time: number): string => encodeTime(time).toLowerCase();
