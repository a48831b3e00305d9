/** The API of the edge for this page: each response is parsed with its contract, each failure is an EdgeError. */
import { z } from 'zod';
import { ErrorBodySchema, HEADER } from '../../../schema/contracts/common.ts';
import type { ErrorCode } from '../../../schema/errors.ts';
import { READ_HEADERS, takeEarly } from './early.ts';

const TIMEOUT_MS = 20_000;
const FINAL: readonly number[] = [400, 401, 403, 404];
const EnvelopeSchema = z.object({ ok: z.literal(true), data: z.unknown() });

/** A failure as the edge reports it, or that the edge was not reached, or that its response is not what was agreed. */
export class EdgeError extends Error {
  override readonly name = 'EdgeError';
  readonly code: ErrorCode | 'unreadable_response';
  /** 0 when there was no response. */
  readonly status: number;
  readonly requestId: string | null;

  constructor(code: EdgeError['code'], message: string, { status = 0, requestId = null as string | null } = {}) {
    super(message);
    this.code = code;
    this.status = status;
    this.requestId = requestId;
  }

  /** Whether the session has ended, or never was. */
  get isSignedOut(): boolean {
    return this.status === 401;
  }

  /** Whether the same read would be refused again: no session, no right, no such object. */
  get isFinal(): boolean {
    return FINAL.includes(this.status);
  }
}

export interface Call {
  method?: 'GET' | 'POST' | 'PUT' | 'DELETE';
  body?: unknown;
  signal?: AbortSignal;
}

/** `data` of the response, parsed. @throws EdgeError */
export async function callEdge<T extends z.ZodType>(path: string, schema: T, call: Call = {}): Promise<z.output<T>> {
  const response = await send(path, call);
  const requestId = response.headers.get(HEADER.request_id);
  const body: unknown = await response.json().catch(() => null);
  if (!response.ok) throw failureOf(body, response.status, requestId);
  const envelope = EnvelopeSchema.safeParse(body);
  const data = schema.safeParse(envelope.data?.data);
  if (data.success) return data.data;
  const [issue] = data.error.issues;
  const where = issue === undefined ? 'body' : issue.path.join('.');
  throw new EdgeError('unreadable_response', `${path}: ${where}`, { status: response.status, requestId });
}

async function send(path: string, { method = 'GET', body, signal }: Call): Promise<Response> {
  const headers: Record<string, string> = { ...READ_HEADERS };
  if (body !== undefined) headers['content-type'] = 'application/json';
  // A press that is sent twice, by the browser or by a proxy, has one effect.
  if (method === 'POST') headers[HEADER.idempotency_key] = randomKey();
  const timeout = AbortSignal.timeout(TIMEOUT_MS);
  const early = method === 'GET' ? takeEarly(path) : undefined;
  try {
    if (early !== undefined) return await early;
    return await fetch(path, {
      method,
      headers,
      credentials: 'same-origin',
      signal: signal === undefined ? timeout : AbortSignal.any([signal, timeout]),
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
  } catch (error) {
    throw new EdgeError('edge_unreachable', error instanceof Error ? error.message : String(error));
  }
}

function failureOf(body: unknown, status: number, requestId: string | null): EdgeError {
  const failure = ErrorBodySchema.safeParse(body);
  if (!failure.success) return new EdgeError('unreadable_response', `HTTP ${status}`, { status, requestId });
  const { error, message } = failure.data;
  return new EdgeError(error, message, { status, requestId });
}

function randomKey(): string {
  return `page-${[...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, '0')).join('')}`;
}
