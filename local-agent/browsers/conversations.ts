/**
 * Conversations as the edge last confirmed them. They are only read from the edge: those that a browser shows, and by id
 * when the channel reports a change. A failed read is repeated at the next event.
 */
import type { Logger } from 'pino';
import type { z } from 'zod';
import type { Platform } from '../../schema/contracts/common.ts';
import { pageOf } from '../../schema/contracts/common.ts';
import type { Conversation } from '../../schema/contracts/conversations.ts';
import { ConversationDetailSchema, ConversationSchema } from '../../schema/contracts/conversations.ts';
import type { EdgeClient } from '../edge/http-client.ts';
import { Emitter } from '../lib/emitter.ts';

export interface RemoteConversation {
  platform: Platform;
  conversation_id: string;
}

const PageSchema = pageOf(ConversationSchema);
/** With the next renewal and its limits. A list does not have them, nor does an edge of an older version. */
const KnownSchema = ConversationDetailSchema.omit({ active_link: true }).partial({
  limits: true,
  counters: true,
  next_renewal: true,
});
export type KnownConversation = z.infer<typeof KnownSchema>;
/** Conversations kept in memory; the ones read longest ago are dropped. */
const MAX_KNOWN = 2_000;

export class Conversations {
  readonly changed = new Emitter<void>();
  readonly #edge: Pick<EdgeClient, 'call'>;
  readonly #log: Pick<Logger, 'warn'>;
  readonly #known = new Map<string, KnownConversation>();
  /** Look-ups in flight; `repeat` when the conversation may have appeared at the edge since the request left. */
  readonly #lookUps = new Map<string, { repeat: boolean }>();

  constructor(edge: Pick<EdgeClient, 'call'>, log: Pick<Logger, 'warn'>) {
    this.#edge = edge;
    this.#log = log;
  }

  find(remote: RemoteConversation): KnownConversation | null {
    return this.#known.get(conversationKey(remote)) ?? null;
  }

  /** Reads a conversation from the edge; null when the edge does not have it. @throws EdgeError */
  async lookUp(remote: RemoteConversation): Promise<Conversation | null> {
    const query = new URLSearchParams({ platform: remote.platform, remote_conversation_id: remote.conversation_id });
    const page = await this.#edge.call({
      method: 'GET',
      path: `/v1/renewal/conversations?${query}`,
      schema: PageSchema,
    });
    const found = page.items.find(
      (item) => item.platform === remote.platform && item.remote_conversation_id === remote.conversation_id,
    );
    if (found) this.#keep(found);
    return found ?? null;
  }

  /** Looks up those that are not known, with one request at a time for each. */
  async learn(remotes: readonly RemoteConversation[]): Promise<void> {
    const unknown = remotes.filter((remote) => !this.#known.has(conversationKey(remote)));
    await Promise.all(unknown.map((remote) => this.#runBestEffort(this.#learn(remote))));
  }

  /** Reads these ids again, known or not: the edge reports that they have changed. */
  async reread(ids: readonly string[]): Promise<void> {
    await Promise.all(ids.map((id) => this.#runBestEffort(this.#read(id))));
  }

  /** Reads all known conversations again: after a reconnect, changes may have been missed. */
  async resync(): Promise<void> {
    await this.reread([...this.#known.values()].map((conversation) => conversation.local_conversation_id));
  }

  async #learn(remote: RemoteConversation): Promise<void> {
    const key = conversationKey(remote);
    const inFlight = this.#lookUps.get(key);
    if (inFlight) {
      inFlight.repeat = true;
      return;
    }
    const lookUp = { repeat: false };
    this.#lookUps.set(key, lookUp);
    try {
      do {
        lookUp.repeat = false;
        if ((await this.lookUp(remote)) !== null) return;
      } while (lookUp.repeat);
    } finally {
      this.#lookUps.delete(key);
    }
  }

  async #read(id: string): Promise<void> {
    const path = `/v1/renewal/conversations/${encodeURIComponent(id)}`;
    this.#keep(await this.#edge.call({ method: 'GET', path, schema: KnownSchema }));
  }

  #keep(conversation: KnownConversation): void {
    const { platform, remote_conversation_id: conversation_id } = conversation;
    const key = conversationKey({ platform, conversation_id });
    this.#known.delete(key);
    this.#known.set(key, conversation);
    const [oldest] = this.#known.keys();
    if (this.#known.size > MAX_KNOWN && oldest !== undefined) this.#known.delete(oldest);
    this.changed.emit();
  }

  async #runBestEffort(reading: Promise<unknown>): Promise<void> {
    try {
      await reading;
    } catch (error) {
      this.#log.warn({ err: error }, 'a conversation could not be read; it is read again at its next change');
    }
  }
}

function conversationKey(remote: RemoteConversation): string {
  return `${remote.platform}:${remote.conversation_id}`;
}
