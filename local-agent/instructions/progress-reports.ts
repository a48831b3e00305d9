/**
 * Reports the instructions of a message to the edge: starts, live output, results and questions travel in one request. At most one
 * progress request of a message is in the outbox. What happens meanwhile is kept in `executions` and goes with the next
 * request, so n quick instructions need two requests, and a stored body never changes.
 */
import { z } from 'zod';
import type { MessageProgressBody } from '../../schema/contracts/progress.ts';
import { HTTP, INSTRUCTION } from '../../schema/defaults.ts';
import type { Clock } from '../lib/clock.ts';
import type { Store } from '../store/store.ts';
import { conversationStream } from '../store/streams.ts';
import type { ExecutionRow, ExecutionStore } from './execution-store.ts';
import type { LiveOutput } from './live-output.ts';

type Item = MessageProgressBody['items'][number];

/** Room for the other fields of the body. */
const SPARE_BYTES = 4 * 1024;
/** In JSON a character of one UTF-16 unit takes at most six bytes. */
const MAX_CHUNK_BYTES = 6 * INSTRUCTION.max_live_chunk_chars;
/** A start is reported on its own only when the instruction has run for this long. */
const START_REPORT_MS = INSTRUCTION.live_interval_ms;

/** Which message a progress row is about, and the instructions whose results it carries. */
export const ProgressContextSchema = z.object({ message_id: z.string(), results: z.array(z.string()) });

export interface ProgressReportsDeps {
  store: Pick<Store, 'outbox' | 'transaction'>;
  nodeId: string;
  executions: ExecutionStore;
  clock: Pick<Clock, 'now' | 'after'>;
  /** The live output of an instruction that runs now. */
  liveOutput: (instructionId: string) => LiveOutput | undefined;
  /** A longer output is shortened in the reply, so the edge stores it as an artifact. */
  inlineChars: number;
}

/** What a person is asked about an instruction whose turn has come. */
type Asked = Required<Pick<Item, 'instruction_id' | 'approval'>>;

export interface ReportOptions {
  /** A request even for a start alone, or without news to learn the statuses that the edge has now. */
  force?: boolean;
  /** While a request is pending, one more follows it: its response may be older than what was observed. */
  again?: boolean;
  asked?: Asked;
}

export class ProgressReports {
  readonly #deps: ProgressReportsDeps;
  /** By message: cancels the timer that reports a start. */
  readonly #startTimers = new Map<string, () => void>();
  /** Messages whose pending request is followed by another. */
  readonly #again = new Set<string>();
  #isStopped = false;

  constructor(deps: ProgressReportsDeps) {
    this.#deps = deps;
  }

  /**
   * Appends a progress request for what is not reported yet, inside the caller's transaction. Appends nothing while
   * one is pending. When the only news is a new start, it waits START_REPORT_MS for the result.
   */
  report(messageId: string, options: ReportOptions = {}): void {
    const { store, nodeId, executions, inlineChars } = this.#deps;
    const message = executions.message(messageId);
    if (message === null) return;
    if (message.progress_pending) {
      if (options.again) this.#again.add(messageId);
      return;
    }
    const isForced = this.#again.delete(messageId) || options.force === true;
    const items = this.#items(executions.executions(messageId), options.asked);
    if (!isForced && !items.some(isWorthRequest)) {
      if (items.length > 0) this.#armStartTimer(messageId);
      return;
    }
    this.#cancelStartTimer(messageId);
    const results = items.flatMap(({ instruction_id, result }) => (result === undefined ? [] : [instruction_id]));
    store.outbox.append({
      stream: conversationStream(message),
      kind: 'progress',
      method: 'POST',
      path: `/v1/messages/${messageId}/progress`,
      body: { controller_id: nodeId, items, inline_chars: inlineChars } satisfies MessageProgressBody,
      context: { message_id: messageId, results } satisfies z.infer<typeof ProgressContextSchema>,
    });
    for (const { instruction_id, started, result } of items) {
      if (result !== undefined) executions.setReported(instruction_id, 'result');
      else if (started) executions.setReported(instruction_id, 'started');
    }
    executions.setProgressPending(messageId, true);
  }

  /** Sets no further timers. What is not reported yet is reported after the next start of the agent. */
  stop(): void {
    this.#isStopped = true;
    for (const messageId of [...this.#startTimers.keys()]) this.#cancelStartTimer(messageId);
  }

  #armStartTimer(messageId: string): void {
    if (this.#isStopped || this.#startTimers.has(messageId)) return;
    const { store, clock } = this.#deps;
    const cancel = clock.after(START_REPORT_MS, () => {
      this.#startTimers.delete(messageId);
      store.transaction(() => this.report(messageId, { force: true }));
    });
    this.#startTimers.set(messageId, cancel);
  }

  #cancelStartTimer(messageId: string): void {
    this.#startTimers.get(messageId)?.();
    this.#startTimers.delete(messageId);
  }

  /**
   * What is asked, and then in message order as many as fit one body; the first always fits, because an output is cut to
   * the body's size and a description is shorter.
   */
  #items(rows: readonly ExecutionRow[], asked: Asked | undefined): Item[] {
    const items: Item[] = asked === undefined ? [] : [asked];
    let bytes = SPARE_BYTES + (asked === undefined ? 0 : Buffer.byteLength(JSON.stringify(asked)));
    for (const row of rows) {
      const item = this.#itemOf(row, bytes + MAX_CHUNK_BYTES <= HTTP.max_body_bytes);
      if (item === null) continue;
      bytes += Buffer.byteLength(JSON.stringify(item));
      if (items.length > 0 && bytes > HTTP.max_body_bytes) break;
      items.push(item);
    }
    return items;
  }

  #itemOf(row: ExecutionRow, hasRoomForChunk: boolean): Item | null {
    const { instruction_id, started_at, result, reported } = row;
    if (row.is_remote || reported === 'result') return null;
    const isNewStart = started_at !== null && reported === 'nothing';
    const chunk = result === null && hasRoomForChunk ? this.#deps.liveOutput(instruction_id)?.nextChunk() : undefined;
    if (!isNewStart && !chunk && result === null) return null;
    return {
      instruction_id,
      ...(isNewStart && { started: true, started_age_ms: Math.max(0, this.#deps.clock.now() - started_at) }),
      ...(chunk && { output: chunk }),
      ...(result !== null && { result }),
    };
  }
}

function isWorthRequest({ result, output, approval, started_age_ms = 0 }: Item): boolean {
  return result !== undefined || output !== undefined || approval !== undefined || started_age_ms >= START_REPORT_MS;
}
