/**
 * Ids that a person has typed in part: the beginning of an id, with or without its prefix, means the one object whose id
 * begins so. The edge is asked only for an id that is not whole.
 */
import { z } from 'zod';
import { pageOf } from '../../schema/contracts/common.ts';
import { SearchResponseSchema } from '../../schema/contracts/search.ts';
import type { EdgeClient } from '../edge/http-client.ts';
import type { Args, CliCommand } from './command.ts';
import type { CommandDeps } from './deps.ts';
import { withEdge } from './edge-access.ts';
import { RefusedError, UsageError } from './exit-codes.ts';
import type { ObjectKind } from './objects.ts';
import { idsOn, OBJECTS } from './objects.ts';

/** The part behind the prefix: the time of the object and chance, which begins with 0 for the next centuries. */
const PART = /^(?:([a-z]+)_)?(0[0-9a-hjkmnp-tv-z]{3,24})$/i;
const LISTED = 200;
const SHOWN = 10;

/** The beginning of an id of that kind, as ids are written; null for what is no beginning, or is whole. */
function beginningOf(text: string, { prefix }: ObjectKind): string | null {
  const [, given = prefix, part] = PART.exec(text) ?? [];
  if (prefix === null || part === undefined || given?.toLowerCase() !== prefix) return null;
  return `${prefix}_${part.toLowerCase()}`;
}

interface Found {
  ids: { id: string; about: string }[];
  more: boolean;
}

async function findIds(edge: EdgeClient, kind: ObjectKind, start: string): Promise<Found | null> {
  if (kind.found !== null) {
    const path = `/v1/search?${new URLSearchParams({ q: start })}`;
    const { items, has_more } = await edge.call({ method: 'GET', path, schema: SearchResponseSchema });
    const ids = items.filter((one) => one.kind === kind.found).map(({ id, title }) => ({ id, about: title ?? '' }));
    return { ids, more: has_more };
  }
  if (kind.list === null) return null;
  const path = `${kind.list.path}?limit=${LISTED}`;
  const page = await edge.call({ method: 'GET', path, schema: pageOf(z.looseObject({})) });
  const ids = idsOn(page, kind.list).filter(({ id }) => id.startsWith(start));
  return { ids: ids.slice(0, SHOWN), more: ids.length > SHOWN };
}

/** The arguments with the whole id. @throws RefusedError when no object is meant, UsageError when more than one is */
export async function withWholeId({ argument, isLocal }: CliCommand, args: Args, deps: CommandDeps): Promise<Args> {
  const name = argument?.name() ?? '';
  const kind = Object.hasOwn(OBJECTS, name) ? OBJECTS[name] : undefined;
  if (kind === undefined || isLocal === true) return args;
  const text = String(args[name]).trim();
  if (text === '') throw new UsageError(`<${name}>: it is empty; give the id of one ${name}`);
  const start = beginningOf(text, kind);
  if (start === null) return args;
  const found = await withEdge(args, deps, (edge) => findIds(edge, kind, start));
  if (found === null) return args;
  const [only, ...others] = found.ids;
  if (only === undefined) throw new RefusedError(`there is no ${name} whose id begins with ${start}`);
  if (others.length === 0 && !found.more) return { ...args, [name]: only.id };
  const lines = found.ids.map(({ id, about }) => (about === '' ? `  ${id}` : `  ${id}  ${about}`));
  const more = found.more ? ['  and more'] : [];
  throw new UsageError([`${start} begins more than one id; type more of it:`, ...lines, ...more].join('\n'));
}
