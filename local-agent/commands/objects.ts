/** The objects that commands name by id: the form of the ids, and where the edge lists them. */
import { z } from 'zod';
import type { FoundKind } from '../../schema/contracts/search.ts';

export interface ObjectKind {
  /** What the ids begin with; null where they are names. */
  prefix: string | null;
  /** What `GET /v1/search` calls it; null when it is not found there. */
  found: FoundKind | null;
  /** A list with the newest first, and the name of the id in its items; null when there is none. */
  list: { path: string; items: 'items' | 'clients'; key: string } | null;
}

const listed = (path: string, key: string) => ({ path, items: 'items', key }) as const;

/** By the name of the argument. */
export const OBJECTS: Readonly<Record<string, ObjectKind>> = {
  conversation: {
    prefix: 'lc',
    found: 'conversation',
    list: listed('/v1/renewal/conversations', 'local_conversation_id'),
  },
  message: { prefix: 'msg', found: 'message', list: listed('/v1/messages', 'message_id') },
  instruction: { prefix: 'ins', found: 'instruction', list: listed('/v1/instructions', 'instruction_id') },
  job: { prefix: 'job', found: 'renewal', list: listed('/v1/renewal/jobs', 'job_id') },
  task: { prefix: 'task', found: 'task', list: listed('/v1/tasks', 'task_id') },
  run: { prefix: 'run', found: 'run', list: null },
  step: { prefix: 'step', found: null, list: null },
  grant: { prefix: 'grant', found: null, list: listed('/v1/grants', 'grant_id') },
  token: { prefix: 'tok', found: null, list: listed('/v1/tokens', 'token_id') },
  node: { prefix: null, found: 'node', list: listed('/v1/controllers', 'controller_id') },
  browser: { prefix: null, found: 'browser', list: { path: '/v1/browser', items: 'clients', key: 'client_id' } },
};

/** The objects that options name, by the option's name. */
export const OPTION_OBJECTS: Readonly<Record<string, string>> = {
  '--conversation': 'conversation',
  '--message': 'message',
  '--of': 'node',
  '--to': 'node',
  '--on': 'node',
};

/** The commands that take an instruction only while it waits for a person. */
export const DECIDING: ReadonlySet<string> = new Set(['instructions approve', 'instructions deny', 'grants create']);

const RowsSchema = z.array(z.record(z.string(), z.unknown()));

/** The ids of a page of that list, each with the title or the status that goes with it. */
export function idsOn(page: unknown, { items, key }: NonNullable<ObjectKind['list']>): { id: string; about: string }[] {
  const rows = RowsSchema.catch([]).parse(z.looseObject({}).catch({}).parse(page)[items]);
  return rows.flatMap((row) => {
    const about = row.title ?? row.status ?? row.subject ?? row.host ?? '';
    return typeof row[key] === 'string' ? [{ id: row[key], about: String(about) }] : [];
  });
}
