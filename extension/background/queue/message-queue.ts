/**
 * Final messages that the agent has not acknowledged. A message is sent while it is being stored, and again under the same
 * request id after each reconnection, until the agent has it. Until it is stored, its turn in storage is what a restart
 * finds. When the queue is full, a new message is refused, shown and offered again when there is room; one that is in it is
 * never dropped for another.
 */
import { z } from 'zod';
import type { FinalMessage } from '../../../schema/contracts/bridge-frames.ts';
import { FinalMessageSchema } from '../../../schema/contracts/bridge-frames.ts';
import type { BackoffLimits } from '../../lib/backoff.ts';
import { backoffMs } from '../../lib/backoff.ts';
import type { Clock } from '../../lib/clock.ts';
import { Emitter } from '../../lib/emitter.ts';
import { Serial } from '../../lib/serial.ts';
import type { StorageArea } from '../../lib/storage.ts';
import { isQueueItem, queueItem, STORAGE_KEYS, Stored } from '../../lib/storage.ts';

export const QUEUE_LIMITS = { messages: 500, bytes: 6 * 1024 * 1024, frame_bytes: 4 * 1024 * 1024 - 1_024 } as const;
/** After an error of the agent that may pass, such as a full disk. */
const AGAIN: BackoffLimits = { firstMs: 5_000, maxMs: 300_000 };

/** `full`: the same message may be taken later. `refused`: it never is. */
export type Taken = 'stored' | 'full' | 'refused';

const IndexSchema = z.array(z.string().max(128)).max(QUEUE_LIMITS.messages);

interface Entry {
  frame: FinalMessage;
  bytes: number;
  /** Errors of the agent that may pass. */
  failures: number;
  cancelRetry: () => void;
}

export interface MessageQueueDeps {
  storage: StorageArea;
  clock: Clock;
  random: () => number;
  /** Sends a frame to the agent; false when it is not connected. */
  send: (frame: FinalMessage) => boolean;
  /** Something that a person should be able to see, as a code and perhaps a detail; `of`: the message that it is about. */
  report: (what: string, of?: FinalMessage) => void;
}

export class MessageQueue {
  /** A message was added or is gone. */
  readonly changed = new Emitter<void>();
  /** A new message was taken. */
  readonly added = new Emitter<FinalMessage>();
  readonly #deps: MessageQueueDeps;
  readonly #index: Stored<string[]>;
  /** By request id, oldest first. */
  readonly #entries = new Map<string, Entry>();
  readonly #writes = new Serial();
  #loaded: Promise<void> = Promise.resolve();
  #isLoaded = false;
  #bytes = 0;
  #isFull = false;

  constructor(deps: MessageQueueDeps) {
    this.#deps = deps;
    this.#index = new Stored(deps.storage, STORAGE_KEYS.queue, IndexSchema, []);
  }

  get size(): number {
    return this.#entries.size;
  }

  /** A message was refused for want of room, and there was none since. */
  get isFull(): boolean {
    return this.#isFull;
  }

  /** When the oldest message was observed; null without one. */
  get oldestAt(): number | null {
    const [oldest] = this.#entries.values();
    return oldest?.frame.observed_at ?? null;
  }

  /** Reads what an earlier background page has left. */
  load(): Promise<void> {
    this.#loaded = this.#writes.run(async () => {
      const ids = await this.#index.read();
      const found = await this.#deps.storage.get(ids.map(queueItem));
      for (const id of ids) {
        const parsed = FinalMessageSchema.safeParse(found[queueItem(id)]);
        if (parsed.success) this.#put(parsed.data);
        else this.#deps.report('stored_message_unreadable');
      }
      this.changed.emit();
      await this.#sweep(new Set(ids.map(queueItem)));
    });
    void this.#loaded
      .catch(() => undefined)
      .then(() => {
        this.#isLoaded = true;
      });
    return this.#loaded;
  }

  /** Sends a message and stores it; resolves when it is stored. The reason why not is reported. */
  async add(frame: FinalMessage): Promise<Taken> {
    if (!this.#isLoaded) await this.#loaded.catch(() => undefined);
    if (this.#entries.has(frame.request_id)) return await this.#writes.run(() => 'stored');
    const refusal = this.#refusal(frame);
    if (refusal !== null) return this.#refuse(refusal, frame);
    this.#put(frame);
    // It waits neither for what is still being written nor for what people see of it.
    this.#deps.send(frame);
    this.changed.emit();
    return await this.#writes.run(() => this.#store(frame));
  }

  async #store(frame: FinalMessage): Promise<Taken> {
    const ids = [...this.#entries.keys()];
    try {
      await this.#deps.storage.set({ [queueItem(frame.request_id)]: frame, [STORAGE_KEYS.queue]: ids });
    } catch {
      // It stays in memory, and is sent as long as this background page lives.
      this.#deps.report('message_kept_in_memory', frame);
    }
    this.added.emit(frame);
    return 'stored';
  }

  /** The agent is connected: it gets everything that it has not acknowledged. */
  sendAll(): void {
    for (const { frame } of this.#entries.values()) this.#deps.send(frame);
  }

  /** The agent has the message. */
  acknowledged(requestId: string): void {
    this.#drop(requestId);
  }

  /** The agent can never store the message. */
  refused(requestId: string, code: string): void {
    const entry = this.#entries.get(requestId);
    if (entry === undefined) return;
    this.#deps.report(`message_refused_by_agent: ${code}`, entry.frame);
    this.#drop(requestId);
  }

  /** The agent could not store the message now. */
  failed(requestId: string, code: string): void {
    const entry = this.#entries.get(requestId);
    if (entry === undefined) return;
    const { clock, random, send, report } = this.#deps;
    report(`message_sent_again: ${code}`, entry.frame);
    entry.cancelRetry();
    entry.cancelRetry = clock.after(backoffMs(entry.failures, AGAIN, random()), () => send(entry.frame));
    entry.failures += 1;
  }

  #refusal(frame: FinalMessage): Exclude<Taken, 'stored'> | null {
    const bytes = byteLength(frame);
    if (!FinalMessageSchema.safeParse(frame).success || bytes > QUEUE_LIMITS.frame_bytes) return 'refused';
    return this.#entries.size < QUEUE_LIMITS.messages && this.#bytes + bytes <= QUEUE_LIMITS.bytes ? null : 'full';
  }

  #refuse(why: Exclude<Taken, 'stored'>, frame: FinalMessage): Taken {
    if (why === 'refused') {
      this.#deps.report('message_too_long', frame);
    } else {
      this.#isFull = true;
      this.#deps.report(`message_waits_for_room: ${this.#entries.size}`);
      this.changed.emit();
    }
    return why;
  }

  /** A background page that ended between the two writes of a removal has left a text that no index names. */
  async #sweep(known: ReadonlySet<string>): Promise<void> {
    const left = (await this.#deps.storage.keys()).filter((key) => isQueueItem(key) && !known.has(key));
    if (left.length > 0) await this.#deps.storage.remove(left);
  }

  #put(frame: FinalMessage): void {
    const bytes = byteLength(frame);
    this.#entries.set(frame.request_id, { frame, bytes, failures: 0, cancelRetry: () => undefined });
    this.#bytes += bytes;
  }

  #drop(requestId: string): void {
    const entry = this.#entries.get(requestId);
    if (entry === undefined) return;
    entry.cancelRetry();
    this.#entries.delete(requestId);
    this.#bytes -= entry.bytes;
    this.#isFull = false;
    this.changed.emit();
    void this.#writes
      .run(async () => {
        await this.#deps.storage.set({ [STORAGE_KEYS.queue]: [...this.#entries.keys()] });
        await this.#deps.storage.remove([queueItem(requestId)]);
      })
      // It is sent again after a restart; the agent knows its request id.
      .catch(() => undefined);
  }
}

function byteLength(frame: FinalMessage): number {
  return new TextEncoder().encode(JSON.stringify(frame)).byteLength;
}
