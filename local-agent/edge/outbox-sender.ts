/**
 * Empties the outbox. One request is in flight per stream, streams go in parallel. A row leaves only in the
 * transaction that stores its answer, so a kill between the edge's commit and ours resends the same key, which the
 * edge answers as before. What cannot be sent now (network, 401, 408, 429, 5xx) waits with full jitter; what the edge
 * will never have is kept as refused and its stream goes on. Idle, it does nothing: an append wakes it.
 */
import type { Backoff } from '../../schema/domain/retry.ts';
import { retryDelayMs } from '../../schema/domain/retry.ts';
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
  onProblem: (message: string, fields: Record<string, unknown>) => void;
}

/** How a stream was left: nothing to send, its head may not leave now, or to be tried again after `retryMs`. */
type Left = { as: 'empty' | 'held' } | { as: 'waiting'; retryMs: number };

export class OutboxSender {
  readonly #deps: OutboxSenderDeps;
  /** A stream may be in `ready` and `busy` at once: it was appended to while it was being emptied. */
  readonly #ready = new Set<string>();
  readonly #busy = new Set<string>();
  readonly #held = new Set<string>();
  readonly #waiting = new Map<string, () => void>();
  readonly #failures = new Map<string, number>();
  readonly #settled = new Emitter<void>();
  readonly #abort = new AbortController();
  #running = false;
  #unsubscribe: () => void = () => undefined;

  constructor(deps: OutboxSenderDeps) {
    this.#deps = deps;
  }

  /** Works off the answers that a previous life left, then begins to send. */
  start(): void {
    for (const answer of this.#deps.store.answers.pending()) this.#workOff(answer);
    this.#running = true;
    this.#unsubscribe = this.#deps.store.outbox.onAppend((stream) => this.#appended(stream));
    for (const stream of this.#deps.store.outbox.pendingStreams()) this.#ready.add(stream);
    this.#fill();
  }

  /** Something has changed (the edge is back, a hold may be over): tries every stream now. */
  wake(): void {
    for (const [stream, cancel] of this.#waiting) {
      cancel();
      this.#ready.add(stream);
    }
    this.#waiting.clear();
    for (const stream of this.#held) this.#ready.add(stream);
    this.#held.clear();
    this.#fill();
  }

  /** Tries everything now; true when all that may leave has left, false when `limitMs` were not enough. */
  async flush(limitMs: number): Promise<boolean> {
    this.wake();
    if (this.#isSettled()) return true;
    return new Promise((resolve) => {
      const finish = (empty: boolean) => {
        cancelLimit();
        unsubscribe();
        resolve(empty);
      };
      const cancelLimit = this.#deps.clock.after(limitMs, () => finish(false));
      const unsubscribe = this.#settled.on(() => {
        if (this.#isSettled()) finish(true);
      });
    });
  }

  /** Sends nothing more. A request in flight is abandoned: its row is still there and goes again. */
  stop(): void {
    this.#running = false;
    this.#unsubscribe();
    for (const cancel of this.#waiting.values()) cancel();
    this.#waiting.clear();
    this.#abort.abort();
  }

  #isSettled(): boolean {
    return this.#busy.size === 0 && this.#waiting.size === 0 && this.#ready.size === 0;
  }

  #appended(stream: string): void {
    if (this.#waiting.has(stream) || this.#held.has(stream)) return;
    this.#ready.add(stream);
    this.#fill();
  }

  #fill(): void {
    if (!this.#running) return;
    for (const stream of this.#ready) {
      if (this.#busy.size >= MAX_PARALLEL_STREAMS) return;
      if (this.#busy.has(stream)) continue;
      this.#ready.delete(stream);
      this.#busy.add(stream);
      void this.#drain(stream)
        .catch((error: unknown): Left => this.#broken(stream, error))
        .then((left) => this.#leave(stream, left));
    }
  }

  #leave(stream: string, left: Left): void {
    this.#busy.delete(stream);
    if (!this.#running) return;
    if (left.as === 'held') this.#held.add(stream);
    if (left.as === 'waiting') {
      const cancel = this.#deps.clock.after(left.retryMs, () => {
        this.#waiting.delete(stream);
        this.#ready.add(stream);
        this.#fill();
      });
      this.#waiting.set(stream, cancel);
      this.#ready.delete(stream);
    }
    this.#fill();
    this.#settled.emit();
  }

  /** Sends the stream's rows one after the other, until something stops it. */
  async #drain(stream: string): Promise<Left> {
    while (this.#running) {
      const row = this.#deps.store.outbox.head(stream);
      if (row === null) return { as: 'empty' };
      if (!this.#deps.maySend(row.kind)) return { as: 'held' };
      const handler = this.#deps.handlers.get(row.kind);
      if (handler === undefined) {
        const message = `this version does not know rows of the kind ${row.kind}`;
        this.#refuse(row, undefined, { status: 0, code: 'unknown_kind', message });
        continue;
      }
      const failure = await this.#send(row, handler);
      if (failure === null) this.#failures.delete(stream);
      else if (isHeldUp(failure)) return { as: 'waiting', retryMs: this.#retryMs(stream, failure) };
      else this.#refuse(row, handler, { status: failure.status, code: failure.code, message: failure.message });
    }
    return { as: 'empty' };
  }

  /** One attempt. Null when it was answered, and the answer stored in the place of the row. */
  async #send(row: OutboxRow, handler: ResponseHandler): Promise<EdgeError | null> {
    const { store, client, clock } = this.#deps;
    store.outbox.attempted(row.id);
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
    const answer = store.transaction(() => {
      store.outbox.remove(row.id);
      return store.answers.add(row, data, clock.now());
    });
    this.#workOff(answer);
    return null;
  }

  #workOff(answer: ResponseRow): void {
    const { store, handlers, onProblem } = this.#deps;
    try {
      const after = store.transaction((): AfterCommit => {
        const row: SentRow = sentRow(answer, answer.answered_at);
        const then = handlers.get(answer.kind)?.answered(JSON.parse(answer.answer), row);
        store.answers.remove(answer.id);
        return then;
      });
      after?.();
    } catch (error) {
      onProblem('an answer could not be worked off; it is tried again at the next start', { kind: answer.kind, error });
    }
  }

  #refuse(row: OutboxRow, handler: ResponseHandler | undefined, refusal: Refusal): void {
    const { store, clock, onProblem } = this.#deps;
    onProblem('the edge refused a row of the outbox', { kind: row.kind, path: row.path, ...refusal });
    const after = store.transaction((): AfterCommit => {
      store.outbox.refuse(row.id, refusal);
      return handler?.refused?.(refusal, sentRow(row, clock.now()));
    });
    after?.();
  }

  #retryMs(stream: string, failure: EdgeError): number {
    const failures = (this.#failures.get(stream) ?? 0) + 1;
    this.#failures.set(stream, failures);
    return (failure.retryAfterMs ?? 0) + retryDelayMs(failures, RETRY, this.#deps.random());
  }

  /** A fault of this host, such as a full disk: the stream is tried again later. */
  #broken(stream: string, error: unknown): Left {
    this.#deps.onProblem('the outbox could not be worked on', { stream, error });
    return { as: 'waiting', retryMs: RETRY.max_ms };
  }
}

/**
 * A rejected token is the host's trouble, not the row's: what was accepted waits until the token is right again, or a
 * revoked token would turn the whole queue into refusals.
 */
function isHeldUp(failure: EdgeError): boolean {
  return failure.retryable || failure.status === UNAUTHORIZED;
}

function sentRow(row: Pick<ResponseRow, 'stream' | 'body' | 'context'>, answeredAt: number): SentRow {
  return { stream: row.stream, body: JSON.parse(row.body), context: JSON.parse(row.context), answeredAt };
}
