/**
 * Conversations as the edge last confirmed them. They are only ever read from the edge: by what a browser shows, or by
 * id when the channel says that one has changed. A read that fails is made good by the next event.
 */
import type { Logger } from 'pino';
import type { Platform } from '../../schema/contracts/common.ts';
import { pageOf } from '../../schema/contracts/common.ts';
import type { Conversation } from '../../schema/contracts/conversations.ts';
import { ConversationSchema } from '../../schema/contracts/conversations.ts';
import type { EdgeClient } from '../edge/http-client.ts';
import { Emitter } from '../lib/emitter.ts';

export interface RemoteConversation {
  platform: Platform;
  conversation_id: string;
}

const PageSchema = pageOf(ConversationSchema);
/** Conversations kept in memory; the ones read longest ago make room. */
const MAX_KNOWN = 2_000;

export class Conversations {
  readonly changed = new Emitter<void>();
  readonly #edge: Pick<EdgeClient, 'call'>;
  readonly #log: Pick<Logger, 'warn'>;
  readonly #known = new Map<string, Conversation>();
  /** Look-ups on their way, and whether what they look for may have appeared since they left. */
  readonly #looking = new Map<string, { stale: boolean }>();

  constructor(edge: Pick<EdgeClient, 'call'>, log: Pick<Logger, 'warn'>) {
    this.#edge = edge;
    this.#log = log;
  }

  find(remote: RemoteConversation): Conversation | null {
    return this.#known.get(keyOf(remote)) ?? null;
  }

  /** Reads one anew; null when the edge does not have it. @throws EdgeError */
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

  /** Looks up those that are not known yet: one request at a time for each, however often it is asked for. */
  async learn(remotes: readonly RemoteConversation[]): Promise<void> {
    const unknown = remotes.filter((remote) => !this.#known.has(keyOf(remote)));
    await Promise.all(unknown.map((remote) => this.#runBestEffort(this.#learn(remote))));
  }

  /** Reads these ids again, known or not: the channel says that they have changed. */
  async reread(ids: readonly string[]): Promise<void> {
    await Promise.all(ids.map((id) => this.#runBestEffort(this.#read(id))));
  }

  /** Reads all that are known again: after a reconnect nobody knows what was missed. */
  async resync(): Promise<void> {
    await this.reread([...this.#known.values()].map((conversation) => conversation.local_conversation_id));
  }

  async #learn(remote: RemoteConversation): Promise<void> {
    const key = keyOf(remote);
    const underWay = this.#looking.get(key);
    if (underWay) {
      underWay.stale = true;
      return;
    }
    const look = { stale: false };
    this.#looking.set(key, look);
    try {
      do {
        look.stale = false;
        if ((await this.lookUp(remote)) !== null) return;
      } while (look.stale);
    } finally {
      this.#looking.delete(key);
    }
  }

  async #read(id: string): Promise<void> {
    const path = `/v1/renewal/conversations/${encodeURIComponent(id)}`;
    this.#keep(await this.#edge.call({ method: 'GET', path, schema: ConversationSchema }));
  }

  #keep(conversation: Conversation): void {
    const { platform, remote_conversation_id: conversation_id } = conversation;
    const key = keyOf({ platform, conversation_id });
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
      this.#log.warn({ err: error }, 'a conversation could not be read; the next change tries again');
    }
  }
}

function keyOf(remote: RemoteConversation): string {
  return `${remote.platform}:${remote.conversation_id}`;
}
