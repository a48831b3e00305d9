/**
 * Finds words in the texts of messages, instructions and tasks, from the newest on. No index of words is kept: it would cost
 * many rows with every write, and D1 does not export a database that has one (FTS5). A request reads up to `PARTS` parts until
 * one of them has the words, then says how far back it has come, and the next request continues there. A part first looks how
 * many rows its bounds allow (schema/domain/search-reach.ts), then reads their texts inside the database.
 */
import type { SQL, SQLWrapper } from 'drizzle-orm';
import { eq, sql } from 'drizzle-orm';
import type { FoundText, TextPlace, TextSearchQuery, TextSearchResponse } from '../../schema/contracts/search.ts';
import type { Reach } from '../../schema/domain/search-reach.ts';
import { endOfPart, listedOf } from '../../schema/domain/search-reach.ts';
import { AppError } from '../../schema/errors.ts';
import { placeAt, timeOf } from '../../schema/ids.ts';
import { local_conversations } from '../../schema/tables/index.ts';
import type { Database } from '../db/open.ts';

/** Of each kind in a part: no statement reads more than about 1,000 rows of table and index. */
const ROWS = 400;
/** Of each kind in a part. One text may be larger, and is then a part of its own. */
const BYTES = 2_097_152;
const PARTS = 3;
const FOUND_MAX = 20;
/** Around the words. */
const SNIPPET_CHARS = 80;
/** Behind every place. */
const NEWEST = '~';
/** What came of a message was made within that time. */
const FOLLOWS_MS = 86_400_000;

interface Texts {
  kind: FoundText['kind'];
  table: string;
  key: string;
  prefix: string;
  at: string;
  columns: readonly (readonly [place: TextPlace, column: string])[];
}
const KINDS: readonly Texts[] = [
  {
    kind: 'message',
    table: 'messages',
    key: 'message_id',
    prefix: 'msg_',
    at: 'received_at',
    columns: [['text', 'raw_text']],
  },
  {
    kind: 'instruction',
    table: 'instructions',
    key: 'instruction_id',
    prefix: 'ins_',
    at: 'created_at',
    columns: [
      ['call', 'params'],
      ['output', 'output_summary'],
    ],
  },
  {
    kind: 'task',
    table: 'tasks',
    key: 'task_id',
    prefix: 'task_',
    at: 'created_at',
    columns: [
      ['goal', 'goal'],
      ['result', 'result_summary'],
      ['error', 'error_text'],
    ],
  },
];

/** Throws `conversation_not_found`. */
export async function searchTexts(db: Database, query: TextSearchQuery): Promise<TextSearchResponse> {
  let place = query.cursor ?? (await firstPlace(db, query));
  for (let part = 1; ; part += 1) {
    const before = place;
    const reaches = await Promise.all(KINDS.map((texts) => readReach(db, texts, query, before)));
    const end = endOfPart(reaches, ROWS);
    const found = await Promise.all(KINDS.map((texts) => db.all<FoundText>(findWords(texts, query, before, end))));
    const { items, next } = listedOf(found.flat(), end, FOUND_MAX);
    if (items.length > 0 || next === null || part === PARTS) {
      return { items, back_to: next === null ? null : timeOf(next), next_cursor: next };
    }
    place = next;
  }
}

/** The search in a conversation begins with its newest message and what came of it, however long ago that was. */
async function firstPlace(db: Database, { local_conversation_id: id }: TextSearchQuery): Promise<string> {
  if (id === undefined) return NEWEST;
  const row = await db
    .select({ at: local_conversations.last_message_at })
    .from(local_conversations)
    .where(eq(local_conversations.local_conversation_id, id))
    .get();
  if (row === undefined) throw new AppError('conversation_not_found', `there is no conversation ${id}`);
  return row.at === null ? NEWEST : placeAt(row.at + FOLLOWS_MS);
}

/** Behind a unary plus, so that the rows are found by their key. */
function isWanted({ local_conversation_id: id }: TextSearchQuery): SQL {
  return id === undefined ? sql`1` : sql`+local_conversation_id = ${id}`;
}

/** Sizes are known without reading the texts. */
async function readReach(db: Database, texts: Texts, query: TextSearchQuery, before: string): Promise<Reach> {
  const key = sql.identifier(texts.key);
  const sizes = texts.columns.map(([, column]) => sql`coalesce(octet_length(${sql.identifier(column)}), 0)`);
  const [row] =
    await db.all<Reach>(sql`SELECT count(*) AS read, count(*) FILTER (WHERE upto - bytes < ${BYTES}) AS within,
      min(id) FILTER (WHERE upto - bytes < ${BYTES}) AS oldest
    FROM (SELECT id, bytes, sum(bytes) OVER (ORDER BY id DESC) AS upto
      FROM (SELECT ${key} AS id, iif(${isWanted(query)}, ${sql.join(sizes, sql` + `)}, 0) AS bytes
        FROM ${sql.identifier(texts.table)} WHERE ${key} < ${texts.prefix + before} ORDER BY ${key} DESC LIMIT ${ROWS}))`);
  return row ?? { read: 0, within: 0, oldest: null };
}

/**
 * From `before` back to `end`. `instr` and not LIKE, whose patterns D1 limits to 50 bytes. A call is stored as JSON, so the words
 * are looked for as JSON writes them.
 */
function findWords(texts: Texts, query: TextSearchQuery, before: string, end: string | null): SQL {
  const { kind, table, key, prefix, at } = texts;
  const columns = texts.columns.map(([place, column], n) => ({
    place,
    text: sql.identifier(column),
    position: sql.identifier(`position_${n}`),
    words: place === 'call' ? JSON.stringify(query.q).slice(1, -1) : query.q,
  }));
  const id = sql.identifier(key);
  const positions = columns.map(
    ({ text, words, position }) => sql`coalesce(instr(lower(${text}), lower(${words})), 0) AS ${position}`,
  );
  const ofFirst = (take: (column: (typeof columns)[number]) => SQLWrapper) => {
    const cases = columns.map((one) => sql`WHEN ${one.position} > 0 THEN ${take(one)}`);
    return sql`CASE ${sql.join(cases, sql` `)} END`;
  };
  return sql`SELECT ${kind} AS kind, id, local_conversation_id, place, at,
      substr(text, max(position - ${SNIPPET_CHARS}, 1), min(position - 1, ${SNIPPET_CHARS})) AS "before",
      substr(text, position, chars) AS "match", substr(text, position + chars, ${SNIPPET_CHARS}) AS "after"
    FROM (SELECT id, local_conversation_id, at,
        ${ofFirst(({ place }) => sql`${place}`)} AS place, ${ofFirst(({ text }) => text)} AS text,
        ${ofFirst(({ position }) => position)} AS position, ${ofFirst(({ words }) => sql`length(${words})`)} AS chars
      FROM (SELECT ${id} AS id, local_conversation_id, ${sql.identifier(at)} AS at,
          ${sql.join(
            columns.map(({ text }) => text),
            sql`, `,
          )}, ${sql.join(positions, sql`, `)}
        FROM ${sql.identifier(table)}
        WHERE ${id} >= ${prefix + (end ?? '')} AND ${id} < ${prefix + before} AND ${isWanted(query)})
      WHERE ${sql.join(
        columns.map((one) => sql`${one.position} > 0`),
        sql` OR `,
      )}
      ORDER BY id DESC LIMIT ${FOUND_MAX + 1})`;
}
