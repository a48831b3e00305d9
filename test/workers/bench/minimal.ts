/**
 * Minimal leases, and a minimal task queue, on the same runtime, for the benchmarks `lease` and `steps`: without authentication, validation, fence and
 * stored terms. One is in D1 over HTTP, read and then written, or in one statement. The other is an object with WebSockets
 * that commits each message, or all messages of a turn together.
 */
import { DurableObject } from 'cloudflare:workers';

interface MinimalEnv {
  DB: D1Database;
  MINIMAL: DurableObjectNamespace<MinimalLease>;
}

interface Question {
  op: 'renew' | 'acquire' | 'release';
  holder: string;
  ttl_ms: number;
}
interface Row extends Record<string, SqlStorageValue> {
  holder: string;
  term: number;
  expires_at: number;
}
interface Statement {
  text: string;
  values: (string | number)[];
}

const TABLE =
  'CREATE TABLE IF NOT EXISTS lease (id INTEGER PRIMARY KEY, holder TEXT NOT NULL, term INTEGER NOT NULL, expires_at INTEGER NOT NULL)';
const FIRST_ROW = "INSERT OR IGNORE INTO lease VALUES (1, '', 0, 0)";

/** The change in one statement; it gives back the row when it was allowed. */
function statementFor({ op, holder, ttl_ms }: Question, now: number): Statement {
  switch (op) {
    case 'renew':
      return {
        text: 'UPDATE lease SET expires_at = ?1 WHERE id = 1 AND holder = ?2 AND expires_at > ?3 RETURNING holder, term, expires_at',
        values: [now + ttl_ms, holder, now],
      };
    case 'acquire':
      return {
        text: 'UPDATE lease SET holder = ?2, term = term + 1, expires_at = ?1 WHERE id = 1 AND expires_at <= ?3 RETURNING holder, term, expires_at',
        values: [now + ttl_ms, holder, now],
      };
    case 'release':
      return {
        text: 'UPDATE lease SET expires_at = 0 WHERE id = 1 AND holder = ?1 RETURNING holder, term, expires_at',
        values: [holder],
      };
    default:
      return op satisfies never;
  }
}

export class MinimalLease extends DurableObject<MinimalEnv> {
  #waiting: { socket: WebSocket; question: Question }[] = [];
  #committing = false;
  #crowded = false;

  constructor(ctx: DurableObjectState, env: MinimalEnv) {
    super(ctx, env);
    ctx.storage.sql.exec(`${TABLE}; ${FIRST_ROW}`);
  }

  override async fetch(request: Request): Promise<Response> {
    const { 0: client, 1: server } = new WebSocketPair();
    this.ctx.acceptWebSocket(server, [new URL(request.url).pathname]);
    return new Response(null, { status: 101, webSocket: client });
  }

  override async webSocketMessage(socket: WebSocket, message: string): Promise<void> {
    const question: Question = JSON.parse(message);
    if (!this.ctx.getTags(socket).includes('/object/turn')) return this.#response(socket, question);
    this.#waiting.push({ socket, question });
    if (this.#committing) return;
    this.#committing = true;
    while (this.#waiting.length > 0) {
      // A timer of no length costs a millisecond here: one is waited for only where there was company lately.
      if (this.#crowded) await new Promise<void>((resolve) => setTimeout(resolve, 0));
      this.#crowded = this.#waiting.length > 1;
      for (const asked of this.#waiting.splice(0)) this.#response(asked.socket, asked.question);
      await this.ctx.storage.sync();
    }
    this.#committing = false;
  }

  #response(socket: WebSocket, question: Question): void {
    const { text, values } = statementFor(question, Date.now());
    const [row] = this.ctx.storage.sql.exec<Row>(text, ...values).toArray();
    socket.send(JSON.stringify({ ok: row !== undefined, ...row }));
  }
}

/** The naive way, which ignores other callers: read, decide, write. */
async function readThenWrite(db: D1Database, question: Question): Promise<Row | null> {
  const row = await db.prepare('SELECT holder, term, expires_at FROM lease WHERE id = 1').first<Row>();
  const now = Date.now();
  if (row === null) return null;
  const held = row.expires_at > now;
  if (question.op === 'acquire' ? held : !held || row.holder !== question.holder) return null;
  const { text, values } = statementFor(question, now);
  await db
    .prepare(text)
    .bind(...values)
    .run();
  return row;
}

async function inOneStatement(db: D1Database, question: Question): Promise<Row | null> {
  const { text, values } = statementFor(question, Date.now());
  return db
    .prepare(text)
    .bind(...values)
    .first<Row>();
}

const QUEUE =
  'CREATE TABLE IF NOT EXISTS queue (id INTEGER PRIMARY KEY, status TEXT NOT NULL, node TEXT, deadline_at INTEGER)';
const QUEUE_INDEX = "CREATE INDEX IF NOT EXISTS queue_ready ON queue (id) WHERE status = 'queued'";
/** The life of one task in one statement each; a single caller has one task under way. */
const QUEUE_STATEMENTS: Record<string, string> = {
  create: "INSERT INTO queue (status, deadline_at) VALUES ('queued', ?1) RETURNING id",
  claim: `UPDATE queue SET status = 'running', node = 'a', deadline_at = ?1
    WHERE id = (SELECT id FROM queue WHERE status = 'queued' ORDER BY id LIMIT 1) RETURNING id`,
  heartbeat:
    "UPDATE queue SET deadline_at = ?1 + 1 WHERE id = (SELECT max(id) FROM queue) AND status = 'running' RETURNING id",
  complete:
    "UPDATE queue SET status = 'done', deadline_at = ?1 + 2 WHERE id = (SELECT max(id) FROM queue) AND status = 'running' RETURNING id",
};

async function queueStep(db: D1Database, what: string): Promise<Response> {
  const row = await db
    .prepare(QUEUE_STATEMENTS[what] ?? '')
    .bind(Date.now())
    .first();
  return Response.json({ ok: row !== null }, { status: row === null ? 409 : 200 });
}

const worker: ExportedHandler<MinimalEnv> = {
  async fetch(request, env) {
    const { pathname } = new URL(request.url);
    if (pathname.startsWith('/object/')) return env.MINIMAL.getByName(pathname).fetch(request);
    if (pathname === '/setup') {
      await env.DB.batch([TABLE, FIRST_ROW, QUEUE, QUEUE_INDEX].map((text) => env.DB.prepare(text)));
      return new Response('ok');
    }
    if (pathname.startsWith('/queue/')) return queueStep(env.DB, pathname.slice('/queue/'.length));
    const question = await request.json<Question>();
    const response = pathname === '/d1/naive' ? readThenWrite : inOneStatement;
    const row = await response(env.DB, question);
    return Response.json({ ok: row !== null, ...row });
  },
};
export default worker;
