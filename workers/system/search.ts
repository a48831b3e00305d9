/**
 * Finds objects by the beginning of an id, a conversation by its address at its site, and conversations and tasks by a
 * piece of their title. Ids are ranges of primary keys. Titles have no index, which would cost a row with every write:
 * those of the newest rows are read, so the cost has a bound.
 */
import type { SQL } from 'drizzle-orm';
import { sql } from 'drizzle-orm';
import { PLATFORM_IDS } from '../../schema/contracts/common.ts';
import type { Found, FoundKind, SearchResponse } from '../../schema/contracts/search.ts';
import type { Database } from '../db/open.ts';

const TITLES_SEARCHED = 2_000;
const FOUND_MAX = 10;
/** A shorter text would find nearly everything. */
const MIN_CHARS = 2;
/** Above every character of an id. */
const END = '\u007f';

interface Place {
  kind: FoundKind;
  table: string;
  key: string;
  /** The column with its title. */
  title?: string;
}
/** By the prefix of their ids. */
const BY_PREFIX: Readonly<Record<string, Place>> = {
  lc: { kind: 'conversation', table: 'local_conversations', key: 'local_conversation_id', title: 'title' },
  msg: { kind: 'message', table: 'messages', key: 'message_id' },
  ins: { kind: 'instruction', table: 'instructions', key: 'instruction_id' },
  job: { kind: 'renewal', table: 'renewal_jobs', key: 'job_id' },
  task: { kind: 'task', table: 'tasks', key: 'task_id', title: 'title' },
  run: { kind: 'run', table: 'runs', key: 'run_id' },
};
/** Their ids are names that people give. */
const NAMED: readonly Place[] = [
  { kind: 'node', table: 'nodes', key: 'controller_id' },
  { kind: 'browser', table: 'clients', key: 'client_id' },
];

const ID = /^([a-z]{2,4})_[0-9a-z]{0,26}$/;
const CHAT_ADDRESS = /^https?:\/\/[^?#]*\/([^/?#]+)\/?(?:[?#].*)?$/;

/** At most `FOUND_MAX` of each kind; nothing for a text that is too short. */
export async function search(db: Database, q: string): Promise<SearchResponse> {
  const queries = q.length < MIN_CHARS ? [] : queriesFor(q);
  const rows = await Promise.all(queries.map((query) => db.all<Found>(query)));
  const byId = new Map(rows.flatMap((found) => found.slice(0, FOUND_MAX)).map((one) => [one.id, one]));
  return {
    items: [...byId.values()],
    has_more: rows.some((found) => found.length > FOUND_MAX),
    titles_searched: TITLES_SEARCHED,
  };
}

function queriesFor(q: string): SQL[] {
  const id = q.toLowerCase();
  const place = BY_PREFIX[ID.exec(id)?.[1] ?? ''];
  if (place !== undefined) return [byId(place, id)];
  const remote = CHAT_ADDRESS.exec(q)?.[1] ?? q;
  const titled = Object.values(BY_PREFIX).filter(({ title }) => title !== undefined);
  return [...NAMED.map((one) => byId(one, q)), byRemoteId(remote), ...titled.map((one) => byTitle(one, q))];
}

function columnsOf({ kind, key, title }: Place): SQL {
  return sql`${kind} AS kind, ${sql.identifier(key)} AS id, ${title === undefined ? sql`NULL` : sql.identifier(title)} AS title`;
}

function byId(place: Place, start: string): SQL {
  const key = sql.identifier(place.key);
  return sql`SELECT ${columnsOf(place)} FROM ${sql.identifier(place.table)}
    WHERE ${key} >= ${start} AND ${key} < ${start + END} ORDER BY ${key} LIMIT ${FOUND_MAX + 1}`;
}

function byRemoteId(start: string): SQL {
  const platforms = sql.join(
    PLATFORM_IDS.map((id) => sql`${id}`),
    sql`, `,
  );
  return sql`SELECT 'conversation' AS kind, local_conversation_id AS id, title FROM local_conversations
    WHERE platform IN (${platforms}) AND remote_conversation_id >= ${start} AND remote_conversation_id < ${start + END}
    LIMIT ${FOUND_MAX + 1}`;
}

/** Without regard to the case of Latin letters, newest first. */
function byTitle(place: Place, piece: string): SQL {
  const key = sql.identifier(place.key);
  const columns = place.title === undefined ? key : sql`${key}, ${sql.identifier(place.title)}`;
  return sql`SELECT ${columnsOf(place)} FROM (
      SELECT ${columns} FROM ${sql.identifier(place.table)} ORDER BY ${key} DESC LIMIT ${TITLES_SEARCHED})
    WHERE instr(lower(title), lower(${piece})) > 0 ORDER BY ${key} DESC LIMIT ${FOUND_MAX + 1}`;
}
