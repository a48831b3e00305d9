/**
 * HTTP client of the edge. A call resolves with data that its contract has parsed, or rejects with an `EdgeError` and
 * nothing else. Connections are kept alive. Nothing is retried here: only the caller knows whether a request may be
 * repeated.
 */
import { Pool } from 'undici';
import type { z } from 'zod';
import { API_LEVEL, ErrorBodySchema, envelopeOf, HEADER } from '../../schema/contracts/common.ts';
import { checkValue, firstIssueText } from '../../schema/contracts/issues.ts';
import type { ChainHead } from '../../schema/contracts/journal.ts';
import type { Boot } from '../../schema/contracts/objects.ts';
import { HTTP } from '../../schema/defaults.ts';

export interface EdgeRequest<T> {
  method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  /** Path with its query. */
  path: string;
  body?: unknown;
  /** A body that is JSON already and is sent as it is. */
  rawBody?: string;
  /** Instead of the node's own token. */
  token?: string;
  idempotencyKey?: string;
  /** How old the reported fact is, in milliseconds. */
  ageMs?: number;
  timeoutMs?: number;
  signal?: AbortSignal;
  /** Contract of `data` in the response. */
  schema: z.ZodType<T>;
}

export interface EdgeClient {
  /** @throws EdgeError */
  call<T>(request: EdgeRequest<T>): Promise<T>;
  close(): Promise<void>;
}

/** `network`: no response, so the request may have taken effect. `status`: a response that is no success. */
export type EdgeErrorKind = 'network' | 'status';

export class EdgeError extends Error {
  override readonly name = 'EdgeError';
  readonly kind: EdgeErrorKind;
  /** HTTP status; 0 without a response. */
  readonly status: number;
  /** The API's error code, or `network` / `unreadable_response`. */
  readonly code: string;
  readonly retryAfterMs: number | null;
  /** What the API says besides the message. */
  readonly details: Readonly<Record<string, unknown>>;

  constructor(
    kind: EdgeErrorKind,
    status: number,
    code: string,
    message: string,
    retryAfterMs: number | null = null,
    details: Readonly<Record<string, unknown>> = {},
  ) {
    super(message);
    this.kind = kind;
    this.status = status;
    this.code = code;
    this.retryAfterMs = retryAfterMs;
    this.details = details;
  }

  /** Whether the same request may succeed later: no response, 408, 429, 5xx. */
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

interface Received {
  status: number;
  text: string;
  retryMs: number | null;
  /** 0 for an edge that names none: it is older than the header. */
  level: number;
}

/** Why a response does not fit: one side is of another version, or the response is simply wrong. */
function misfit(level: number, error: z.ZodError): string {
  const field = firstIssueText(error, 'response');
  if (level < API_LEVEL) return `the edge is older than this program: update the edge first (${field})`;
  if (level > API_LEVEL) return `the edge is newer than this program: update this program (${field})`;
  return `the edge's response does not fit its contract: ${field}`;
}

function readResponse<T>(schema: z.ZodType<T>, { status, text, retryMs, level }: Received): T {
  const json = parseJson(text);
  if (status >= 200 && status < 300) {
    const parsed = checkValue(envelopeOf(schema), json);
    if (parsed.success) return parsed.data.data as T;
    throw new EdgeError('status', status, 'unreadable_response', misfit(level, parsed.error));
  }
  const failure = ErrorBodySchema.safeParse(json);
  if (failure.success) {
    const { error, message, details } = failure.data;
    throw new EdgeError('status', status, error, message, retryMs, details);
  }
  throw new EdgeError(
    'status',
    status,
    'unreadable_response',
    `HTTP ${status} without the API's envelope; is this the edge?`,
    retryMs,
  );
}

function headersOf(request: EdgeRequest<unknown>, token: string, boot: Boot | undefined): Record<string, string> {
  const headers: Record<string, string> = { authorization: `Bearer ${request.token ?? token}` };
  if (boot !== undefined) {
    headers[HEADER.boot_id] = boot.boot_id;
    if (boot.previous_boot_id !== null) headers[HEADER.previous_boot_id] = boot.previous_boot_id;
  }
  if (request.body !== undefined || request.rawBody !== undefined) headers['content-type'] = 'application/json';
  if (request.idempotencyKey !== undefined) headers[HEADER.idempotency_key] = request.idempotencyKey;
  if (request.ageMs !== undefined) headers[HEADER.age_ms] = String(Math.round(request.ageMs));
  return headers;
}

/** What an agent adds to its calls. */
export interface CallerOptions {
  /** The process of the agent that calls. */
  boot?: Boot | undefined;
  /** Takes the head of this node's journal that a response names. */
  onJournalHead?: ((head: ChainHead) => void) | undefined;
}

export interface EdgeClientOptions extends CallerOptions {
  baseUrl: string;
  token: string;
  now: () => number;
}

const HEAD = /^(\d{1,15}):([0-9a-f]{64})$/;

function journalHead(value: string | string[] | undefined): ChainHead | null {
  const [, seq, hash] = HEAD.exec(typeof value === 'string' ? value : '') ?? [];
  return seq === undefined || hash === undefined ? null : { seq: Number(seq), hash };
}

/**
 * A client of the edge at `baseUrl`, whose path prefix is kept. `token` is used for calls that bring none.
 */
export function createEdgeClient(options: EdgeClientOptions): EdgeClient {
  const base = new URL(options.baseUrl);
  const prefix = base.pathname.replace(/\/+$/, '');
  const pool = new Pool(base.origin, { connections: 16, keepAliveTimeout: 30_000 });
  return {
    async call(request) {
      const timeout = AbortSignal.timeout(request.timeoutMs ?? HTTP.request_timeout_ms);
      const signal = request.signal ? AbortSignal.any([timeout, request.signal]) : timeout;
      const body = request.rawBody ?? (request.body === undefined ? null : JSON.stringify(request.body));
      let received: Received;
      try {
        const headers = headersOf(request, options.token, options.boot);
        const response = await pool.request({
          method: request.method,
          path: `${prefix}${request.path}`,
          headers,
          body,
          signal,
        });
        const retryMs = retryAfterMs(response.headers['retry-after'], options.now());
        const level = Number(response.headers[HEADER.api_level] ?? 0);
        const head = journalHead(response.headers[HEADER.journal_head]);
        if (head !== null) options.onJournalHead?.(head);
        received = { status: response.statusCode, text: await response.body.text(), retryMs, level };
      } catch (error) {
        const reason = error instanceof Error ? error.message : String(error);
        throw new EdgeError('network', 0, 'network', `${base.origin} cannot be reached: ${reason}`);
      }
      return readResponse(request.schema, received);
    },
    async close() {
      if (!pool.destroyed) await pool.destroy();
    },
  };
}
