/**
 * Sends the outbox. Each stream has one request in flight, streams are sent in parallel. A row is deleted only in the
 * transaction that stores its response, so after a kill between the edge's commit and this one the same key is sent again,
 * and the edge responds as before. A row that cannot be sent now (network, 401, 408, 429, 5xx) is retried with full
 * jitter; one that the edge will never accept is kept as refused, and its stream continues. An idle sender does nothing:
 * an append wakes it.
 */
import type { Backoff } from '../../schema/domain/retry.ts';
import { retryDelayMs } from '../../schema/domain/retry.ts';
import type { ErrorCode } from '../../schema/errors.ts';
import type { Clock } from '../lib/clock.ts';
import { Emitter } from '../lib/emitter.ts';
import type { OutboxRow, Refusal } from '../store/outbox.ts';
import type { ResponseRow } from '../store/responses.ts';
import type { Store } from '../store/store.ts';
import type { EdgeClient } from './http-client.ts';
import { EdgeError } from './http-client.ts';
import type { AfterCommit, ResponseHandler, ResponseHandlers, SentRow } from './response-handlers.ts';

const MAX_PARALLEL_STREAMS = 16;
const UNAUTHORIZED = 401;
const OUTBOX_CONFLICT: ErrorCode = 'outbox_conflict';
const RETRY: Backoff = { base_ms: 500, max_ms: 30_000, jitter: 'full' };

export interface OutboxSenderDeps {
  store: Store;
  client: EdgeClient;
  handlers: ResponseHandlers;
  clock: Clock;
  /** In [0, 1). */
  random: () => number;
  /** Whether a row of that kind may leave now. Call `wake` when that may have changed. */
  maySend: (kind: string) => boolean;
  /** The edge has refused a row, which is kept. */
  onRefused?: () => void;
  onProblem: (message: string, fields: Record<string, unknown>) => void;
}

/** Why sending a stream has stopped: no rows, its first row may not leave now, or it is retried after `retryMs`. */
type StreamStop = { type: 'empty' | 'held' } | { type: 'waiting'; retryMs: number };

export class OutboxSender {
  readonly #deps: OutboxSenderDeps;
  /** To be sent. A stream can be in `ready` and `busy` at once: it was appended to while it was being sent. */
  readonly #ready = new Set<string>();
  readonly #busy = new Set<string>();
  /** Streams whose first row may not leave now. */
  readonly #held = new Set<string>();
  /** Streams that wait for their next attempt, and how to cancel it. */
  readonly #waiting = new Map<string, () => void>();
  /** Failures in a row by stream. */
  readonly #failures = new Map<string, number>();
  readonly #streamStopped = new Emitter<void>();
  /** The row for which the outbox got a new id last. */
  #renewedFor: number | null = null;
  readonly #abort = new AbortController();
  #isRunning = false;
  #unsubscribe: () => void = () => undefined;

  constructor(deps: OutboxSenderDeps) {
    this.#deps = deps;
  }

  /** Handles the responses that an earlier process left, then begins to send. */
  start(): void {
    const { outbox, responses } = this.#deps.store;
    for (const response of responses.pending()) this.#handleResponse(response);
    this.#isRunning = true;
    this.#unsubscribe = outbox.onAppend((stream) => this.#onAppend(stream));
    for (const stream of outbox.pendingStreams()) this.#ready.add(stream);
    this.#sendReady();
  }

  /** Tries every stream now: the edge may be back, or held rows may be allowed to leave. */
  wake(): void {
    for (const [stream, cancel] of this.#waiting) {
      cancel();
      this.#ready.add(stream);
    }
    this.#waiting.clear();
    for (const stream of this.#held) this.#ready.add(stream);
    this.#held.clear();
    this.#sendReady();
  }

  /** Tries every stream now. True when all that may leave has left, false when that took longer than `limitMs`. */
  async flush(limitMs: number): Promise<boolean> {
    this.wake();
    if (this.#isFlushed()) return true;
    return new Promise((resolve) => {
      const finish = (isFlushed: boolean) => {
        cancelLimit();
        unsubscribe();
        resolve(isFlushed);
      };
      const cancelLimit = this.#deps.clock.after(limitMs, () => finish(false));
      const unsubscribe = this.#streamStopped.on(() => {
        if (this.#isFlushed()) finish(true);
      });
    });
  }

  /** Sends nothing more. A request in flight is aborted; its row is still in the outbox and is sent again. */
  stop(): void {
    this.#isRunning = false;
    this.#unsubscribe();
    for (const cancel of this.#waiting.values()) cancel();
    this.#waiting.clear();
    this.#abort.abort();
  }

  #isFlushed(): boolean {
    return this.#ready.size + this.#busy.size + this.#waiting.size === 0;
  }

  #onAppend(stream: string): void {
    if (this.#waiting.has(stream) || this.#held.has(stream)) return;
    this.#ready.add(stream);
    this.#sendReady();
  }

  #sendReady(): void {
    if (!this.#isRunning) return;
    for (const stream of this.#ready) {
      if (this.#busy.size >= MAX_PARALLEL_STREAMS) return;
      if (this.#busy.has(stream)) continue;
      this.#ready.delete(stream);
      this.#busy.add(stream);
      void this.#sendStream(stream)
        .catch((error: unknown): StreamStop => this.#onFault(stream, error))
        .then((stop) => this.#onStreamStop(stream, stop));
    }
  }

  #onStreamStop(stream: string, stop: StreamStop): void {
    this.#busy.delete(stream);
    if (!this.#isRunning) return;
    if (stop.type === 'held') this.#held.add(stream);
    if (stop.type === 'waiting') {
      const cancel = this.#deps.clock.after(stop.retryMs, () => {
        this.#waiting.delete(stream);
        this.#ready.add(stream);
        this.#sendReady();
      });
      this.#waiting.set(stream, cancel);
      this.#ready.delete(stream);
    }
    this.#sendReady();
    this.#streamStopped.emit();
  }

  /** Sends the rows of a stream one after the other, until something stops it. */
  async #sendStream(stream: string): Promise<StreamStop> {
    while (this.#isRunning) {
      const row = this.#deps.store.outbox.head(stream);
      if (row === null) return { type: 'empty' };
      if (!this.#deps.maySend(row.kind)) return { type: 'held' };
      const handler = this.#deps.handlers.get(row.kind);
      if (handler === undefined) {
        const message = `this version does not know rows of the kind ${row.kind}`;
        this.#refuse(row, undefined, { status: 0, code: 'unknown_kind', message });
        continue;
      }
      const { outboxId } = this.#deps.store.outbox;
      const failure = await this.#send(row, handler);
      if (failure === null) this.#failures.delete(stream);
      else if (failure.code === OUTBOX_CONFLICT && this.#renewedFor !== row.id) this.#renewOutbox(row, outboxId);
      else if (mayPassLater(failure, handler)) return { type: 'waiting', retryMs: this.#retryMs(stream, failure) };
      else this.#refuse(row, handler, { status: failure.status, code: failure.code, message: failure.message });
    }
    return { type: 'empty' };
  }

  /** One attempt. Null when the edge has responded; the response then replaces the row in the store. */
  async #send(row: OutboxRow, handler: ResponseHandler): Promise<EdgeError | null> {
    const { store, client, clock } = this.#deps;
    store.outbox.countAttempt(row.id);
    let data: unknown;
    try {
      data = await client.call({
        method: row.method,
        path: row.path,
        rawBody: row.body,
        idempotencyKey: store.outbox.keyOf(row),
        ageMs: store.outbox.ageOf(row),
        signal: this.#abort.signal,
        schema: handler.schema,
      });
    } catch (error) {
      if (error instanceof EdgeError) return error;
      throw error;
    }
    const response = store.transaction(() => {
      store.outbox.remove(row.id);
      return store.responses.add(row, data, clock.now());
    });
    this.#handleResponse(response);
    return null;
  }

  #handleResponse(response: ResponseRow): void {
    const { store, handlers, onProblem } = this.#deps;
    const { id, kind, answer, answered_at } = response;
    try {
      const afterCommit = store.transaction((): AfterCommit => {
        const after = handlers.get(kind)?.onResponse(JSON.parse(answer), sentRow(response, answered_at));
        store.responses.remove(id);
        return after;
      });
      afterCommit?.();
    } catch (error) {
      onProblem('a response could not be handled; it is handled again at the next start', { kind, error });
    }
  }

  /**
   * Another agent has sent rows of this outbox: the file is a copy, or an older one was restored. The row and those that
   * come are sent under a new id. Once for a row, so that an edge that always responds so makes no loop.
   */
  #renewOutbox(row: OutboxRow, sentUnder: string): void {
    const { store, onProblem } = this.#deps;
    this.#renewedFor = row.id;
    // A row of another stream may have noticed it first.
    if (store.outbox.outboxId !== sentUnder) return;
    store.renewOutbox();
    const { outboxId: outbox_id } = store.outbox;
    onProblem('the state folder is a copy or was restored: its outbox continues under a new id', { outbox_id });
  }

  #refuse(row: OutboxRow, handler: ResponseHandler | undefined, refusal: Refusal): void {
    const { store, clock, onProblem } = this.#deps;
    onProblem('the edge refused a row of the outbox', { kind: row.kind, path: row.path, ...refusal });
    const afterCommit = store.transaction((): AfterCommit => {
      store.outbox.refuse(row.id, refusal);
      return handler?.onRefusal?.(refusal, sentRow(row, clock.now()));
    });
    afterCommit?.();
    this.#deps.onRefused?.();
  }

  #retryMs(stream: string, failure: EdgeError): number {
    const failures = (this.#failures.get(stream) ?? 0) + 1;
    this.#failures.set(stream, failures);
    return (failure.retryAfterMs ?? 0) + retryDelayMs(failures, RETRY, this.#deps.random());
  }

  /** A fault of this machine, such as a full disk: the stream is retried. */
  #onFault(stream: string, error: unknown): StreamStop {
    this.#deps.onProblem('a stream of the outbox could not be sent', { stream, error });
    return { type: 'waiting', retryMs: RETRY.max_ms };
  }
}

/**
 * A rejected token is the fault of this node and not of the row: rows wait until the token is accepted again. Otherwise a
 * revoked token would turn the whole outbox into refusals.
 */
function mayPassLater(failure: EdgeError, { waitsFor = [] }: ResponseHandler): boolean {
  return failure.retryable || failure.status === UNAUTHORIZED || waitsFor.some((code) => code === failure.code);
}

function sentRow(row: Pick<ResponseRow, 'stream' | 'body' | 'context'>, respondedAt: number): SentRow {
  return { stream: row.stream, body: JSON.parse(row.body), context: JSON.parse(row.context), respondedAt };
}
