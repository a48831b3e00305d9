/**
 * Calls the HTTP application inside workerd, with a settable clock, tokens of every role and parsed envelopes. Unless it
 * is set, the clock is a day ahead of the real one, so that no alarm of the objects fires during a test.
 */
import { createExecutionContext, waitOnExecutionContext } from 'cloudflare:test';
import { env } from 'cloudflare:workers';
import type { ErrorBody } from '../../../schema/contracts/common.ts';
import { ErrorBodySchema } from '../../../schema/contracts/common.ts';
import type { Role, TokenCreated } from '../../../schema/contracts/tokens.ts';
import { TokenCreatedSchema } from '../../../schema/contracts/tokens.ts';
import type { AppOptions } from '../../../workers/app.ts';
import { createApp } from '../../../workers/app.ts';
import { RacingDatabase } from './racing-database.ts';

/** The node whose token `edge.tokens()` makes for the roles `controller` and `worker`. */
export const NODE = 'mini-main';
export const ORIGIN = 'https://edge.test';

const DAY_MS = 86_400_000;

export interface Call {
  token?: string | null;
  body?: unknown;
  headers?: Record<string, string>;
}

export interface Reply {
  status: number;
  headers: Headers;
  text: string;
}

export class TestEdge {
  now: number;
  /** Fields of the log lines so far. */
  readonly lines: Record<string, unknown>[] = [];
  /** The bindings of the edge, with a database that `race` can hold back. */
  readonly env: Env;
  readonly #app: ReturnType<typeof createApp>;
  readonly #database: RacingDatabase;
  #address = 0;

  constructor(options: { now?: number; env?: Partial<Env> } & Pick<AppOptions, 'accessKeys'> = {}) {
    const { now = Date.now() + DAY_MS, env: bindings, ...rest } = options;
    this.now = now;
    this.#database = new RacingDatabase(bindings?.DB ?? env.DB);
    this.env = { ...env, ...bindings, DB: this.#database.binding };
    this.#app = createApp({
      clock: () => this.now,
      log: (_level, _what, fields) => void this.lines.push(fields),
      ...rest,
    });
  }

  /** The response as it is. Waits for the work that the request gave to `waitUntil`, unless `wait` is false. */
  async fetch(path: string, init: RequestInit = {}, wait = true): Promise<Response> {
    const ctx = createExecutionContext();
    const response = await this.#send(path, init, ctx);
    if (wait) await waitOnExecutionContext(ctx);
    return response;
  }

  async #send(path: string, init: RequestInit, ctx: ExecutionContext): Promise<Response> {
    return this.#app.fetch(new Request(new URL(path, ORIGIN), init), this.env, ctx);
  }

  /** Runs `write`, and once `rival` between its reads and its commit (RacingDatabase). */
  race<T>(write: () => Promise<T>, rival: () => Promise<unknown>, matching?: RegExp): Promise<T> {
    return this.#database.race(write, rival, matching);
  }

  /** One call with `token`: the bootstrap secret by default, null for none. Each call has an address of its own. */
  async call(
    method: string,
    path: string,
    { token = env.BAA_BOOTSTRAP_TOKEN, body, headers }: Call = {},
  ): Promise<Reply> {
    this.#address += 1;
    const ctx = createExecutionContext();
    const init = {
      method,
      headers: {
        'cf-connecting-ip': `192.0.2.${this.#address}`,
        ...(token === null ? {} : { authorization: `Bearer ${token}` }),
        ...headers,
      },
      ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    };
    const response = await this.#send(path, init, ctx);
    const text = await response.text();
    await waitOnExecutionContext(ctx);
    return { status: response.status, headers: response.headers, text };
  }

  /** `data` of a success. Throws for a failure. */
  async data<T>(method: string, path: string, call: Call = {}): Promise<T> {
    const reply = await this.call(method, path, call);
    const { ok, data } = JSON.parse(reply.text) as { ok: boolean; data: T };
    if (!ok) throw new Error(`${method} ${path} responded ${reply.status}: ${reply.text}`);
    return data;
  }

  /** Status and body of a failure. Throws for a success. */
  async error(method: string, path: string, call: Call = {}): Promise<ErrorBody & { status: number }> {
    const reply = await this.call(method, path, call);
    return { ...errorOf(reply.text), status: reply.status };
  }

  async mint(
    role: Role,
    more: { controller_id?: string; subject?: string; expires_in_ms?: number } = {},
  ): Promise<TokenCreated> {
    const bound = role === 'controller' || role === 'worker';
    return TokenCreatedSchema.parse(
      await this.data('POST', '/v1/tokens', {
        body: { role, subject: `a ${role}`, ...(bound ? { controller_id: NODE } : {}), ...more },
      }),
    );
  }

  /** A token of every role; those of nodes are bound to NODE. */
  async tokens(): Promise<Record<Role, string>> {
    const [controller, worker, browser_admin, ops_admin, readonly] = await Promise.all([
      this.mint('controller'),
      this.mint('worker'),
      this.mint('browser_admin'),
      this.mint('ops_admin'),
      this.mint('readonly'),
    ]);
    return {
      controller: controller.token,
      worker: worker.token,
      browser_admin: browser_admin.token,
      ops_admin: ops_admin.token,
      readonly: readonly.token,
    };
  }
}

/** The error that a response has: the whole body, or `data` of a JSON-RPC error. Throws for any other body. */
export function errorOf(text: string): ErrorBody {
  const body = JSON.parse(text) as { jsonrpc?: string; error?: { data?: unknown } };
  return ErrorBodySchema.parse(body.jsonrpc === undefined ? body : body.error?.data);
}

/** The rows of a query on the edge's database. */
export async function rowsOf<T>(query: string, ...values: unknown[]): Promise<T[]> {
  const { results } = await env.DB.prepare(query)
    .bind(...values)
    .all<T>();
  return results;
}

/** For a query instead of a table: the events of the system, each as a row. */
export const EVENTS = `(SELECT b.seq, b.at, e.value->>'topic' AS topic, e.value->>'type' AS type,
    e.value->>'subject_id' AS subject_id, e.value->'data' AS data
  FROM event_batches AS b, json_each(b.events) AS e)`;

/** For a query instead of a table: the entries of the journal, each as a row; in order by `seq` and `place`. */
export const ENTRIES = `(SELECT b.chain, b.seq, e.key AS place, b.at, b.message_id,
    e.value->>'instruction_id' AS instruction_id, e.value->>'kind' AS kind,
    e.value->>'controller_id' AS controller_id, e.value->'detail' AS detail
  FROM journal_blocks AS b, json_each(b.entries) AS e)`;
