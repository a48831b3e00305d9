/**
 * What the extension keeps in `browser.storage.local`: every key is declared here, and a value is parsed when it is read.
 * A value that does not have its shape counts as absent, so that an older version's data never stops the start.
 */
import type { z } from 'zod';

/** `browser.storage.local`, as far as it is used. */
export interface StorageArea {
  /** The names of all that it holds. */
  keys(): Promise<string[]>;
  get(keys: string[]): Promise<Record<string, unknown>>;
  set(items: Record<string, unknown>): Promise<void>;
  remove(keys: string[]): Promise<void>;
}

export const STORAGE_KEYS = {
  /** Which agent this browser belongs to, and its token. */
  pairing: 'pairing',
  /** The hash of the last `provision.json` that was taken. */
  provision: 'provision',
  /** The id of this browser until it is paired. */
  clientId: 'client_id',
  /** Sites that a person has turned off, and other settings of the options page. */
  settings: 'settings',
  /** The salt of account fingerprints. */
  salt: 'salt',
  logins: 'logins',
  /** Turns whose answer is not final yet. */
  turns: 'turns',
  /** Keys of the messages that were handed to the queue. */
  sent: 'sent',
  /** Which messages the queue holds, oldest first. The messages are under `queueItem`. */
  queue: 'queue',
  /** Answers that do not end, and how often their pages were loaded again. */
  recovery: 'recovery',
  /** Plan ids of deliveries. */
  plans: 'plans',
  /** Place and size of the overlay. */
  overlay: 'overlay',
  /** What a notification has been shown of. */
  notices: 'notices',
  /** The newest diagnostics, for the options page. */
  diagnostics: 'diagnostics',
} as const;

const QUEUE_ITEM = 'queue/';

export function isQueueItem(key: string): boolean {
  return key.startsWith(QUEUE_ITEM);
}

export function queueItem(requestId: string): string {
  return QUEUE_ITEM + requestId;
}

/** One value in storage. */
export class Stored<T> {
  readonly #area: Pick<StorageArea, 'get' | 'set'>;
  readonly #key: string;
  readonly #schema: z.ZodType<T>;
  readonly #absent: T;

  constructor(area: Pick<StorageArea, 'get' | 'set'>, key: string, schema: z.ZodType<T>, absent: T) {
    this.#area = area;
    this.#key = key;
    this.#schema = schema;
    this.#absent = absent;
  }

  async read(): Promise<T> {
    const found = await this.#area.get([this.#key]);
    const parsed = this.#schema.safeParse(found[this.#key]);
    return parsed.success ? parsed.data : this.#absent;
  }

  async write(value: T): Promise<void> {
    await this.#area.set({ [this.#key]: value });
  }
}
