/**
 * The edge over HTTP. A call resolves with data that its contract has parsed, or rejects with an `EdgeError`; there
 * is no third outcome. Connections are kept alive. Nothing is retried here: who may repeat a request knows it.
 */
import { Pool } from 'undici';
import { z } from 'zod';
import { ErrorBodySchema, envelopeOf, HEADER } from '../../schema/contracts/common.ts';
import { HTTP } from '../../schema/defaults.ts';

export interface EdgeRequest<T> {
  method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  /** Path with its query. */
  path: string;
  body?: unknown;
  /** A body that is JSON already, sent to the byte. */
  rawBody?: string;
  /** Another token than the node's own. */
  token?: string;
  idempotencyKey?: string;
  /** How old the reported fact is, in milliseconds. */
  ageMs?: number;
  timeoutMs?: number;
  signal?: AbortSignal;
  /** Contract of `data` in the answer. */
  schema: z.ZodType<T>;
}

export interface EdgeClient {
  /** @throws EdgeError */
  call<T>(request: EdgeRequest<T>): Promise<T>;
  close(): Promise<void>;
}

/** `network`: nothing is known of the request's fate. `status`: the edge answered, and said no. */
export type EdgeErrorKind = 'network' | 'status';

export class EdgeError extends Error {
  override readonly name = 'EdgeError';
  readonly kind: EdgeErrorKind;
  /** HTTP status; 0 when there was no answer. */
  readonly status: number;
  /** The API's error code, or `network` / `unreadable_answer`. */
  readonly code: string;
  readonly retryAfterMs: number | null;

  constructor(kind: EdgeErrorKind, status: number, code: string, message: string, retryAfterMs: number | null = null) {
    super(message);
    this.kind = kind;
    this.status = status;
    this.code = code;
    this.retryAfterMs = retryAfterMs;
  }

  /** Whether the same request may succeed later: no answer, 408, 429, 5xx. */
  get retryable(): boolean {
    return this.kind === 'network' || this.status === 408 || this.status === 429 || this.status >= 500;
  }
}

const SECOND_MS = 1_000;

/** `retry-after` in milliseconds: seconds, or an HTTP date. */
function retryAfterMs(value: string | string[] | undefined, now: number): number | null {
  if (typeof value !== 'string') return null;
  const seconds = Number(value);
  if (Number.isFinite(seconds)) return Math.max(0, seconds * SECOND_MS);
  const at = Date.parse(value);
  return Number.isNaN(at) ? null : Math.max(0, at - now);
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

function readResponse<T>(schema: z.ZodType<T>, status: number, text: string, retryMs: number | null): T {
  const json = parseJson(text);
  if (status >= 200 && status < 300) {
    const parsed = envelopeOf(schema).safeParse(json);
    if (parsed.success) return parsed.data.data as T;
    throw new EdgeError(
      'status',
      status,
      'unreadable_answer',
      `the edge's answer does not fit its contract: ${z.prettifyError(parsed.error)}`,
    );
  }
  const failure = ErrorBodySchema.safeParse(json);
  if (failure.success) throw new EdgeError('status', status, failure.data.error, failure.data.message, retryMs);
  throw new EdgeError(
    'status',
    status,
    'unreadable_answer',
    `HTTP ${status} without the API's envelope; is this the edge?`,
    retryMs,
  );
}

function headersOf(request: EdgeRequest<unknown>, token: string): Record<string, string> {
  const headers: Record<string, string> = { authorization: `Bearer ${request.token ?? token}` };
  if (request.body !== undefined || request.rawBody !== undefined) headers['content-type'] = 'application/json';
  if (request.idempotencyKey !== undefined) headers[HEADER.idempotency_key] = request.idempotencyKey;
  if (request.ageMs !== undefined) headers[HEADER.age_ms] = String(Math.round(request.ageMs));
  return headers;
}

/**
 * A client of the edge at `baseUrl` (a path prefix is kept), with the node's token for calls that bring none.
 */
export function createEdgeClient(options: { baseUrl: string; token: string; now: () => number }): EdgeClient {
  const base = new URL(options.baseUrl);
  const prefix = base.pathname.replace(/\/+$/, '');
  const pool = new Pool(base.origin, { connections: 16, keepAliveTimeout: 30_000 });
  return {
    async call(request) {
      const timeout = AbortSignal.timeout(request.timeoutMs ?? HTTP.request_timeout_ms);
      const signal = request.signal ? AbortSignal.any([timeout, request.signal]) : timeout;
      const body = request.rawBody ?? (request.body === undefined ? null : JSON.stringify(request.body));
      let answer: { status: number; text: string; retryMs: number | null };
      try {
        const headers = headersOf(request, options.token);
        const response = await pool.request({
          method: request.method,
          path: `${prefix}${request.path}`,
          headers,
          body,
          signal,
        });
        const retryMs = retryAfterMs(response.headers['retry-after'], options.now());
        answer = { status: response.statusCode, text: await response.body.text(), retryMs };
      } catch (error) {
        const reason = error instanceof Error ? error.message : String(error);
        throw new EdgeError('network', 0, 'network', `${base.origin} cannot be reached: ${reason}`);
      }
      return readResponse(request.schema, answer.status, answer.text, answer.retryMs);
    },
    async close() {
      await pool.destroy();
    },
  };
}
