/**
 * The request ids of final messages. The same message has the same id, so that the agent knows it again when this browser
 * has lost its storage. A hash comes from another thread: it is asked for while the answer is written, so that the message
 * does not wait for one.
 */
import { sha256Hex } from '../../lib/hash.ts';
import type { Turn } from './turn.ts';
import { isOpen } from './turn.ts';

type Place = Pick<Turn, 'platform' | 'conversationId'>;

const MAX_KEPT = 100;

const nameOf = ({ platform, conversationId }: Place, messageId: string): string =>
  JSON.stringify([platform, conversationId, messageId]);

async function idOf(name: string): Promise<string> {
  return `fm-${(await sha256Hex(name)).slice(0, 40)}`;
}

export class RequestIds {
  /** By the name of the message, oldest first. */
  readonly #ids = new Map<string, Promise<string>>();

  /** The turns have changed: their answers may become final. */
  ahead(before: readonly Turn[], turns: readonly Turn[]): void {
    if (turns === before) return;
    for (const turn of turns) {
      const messageId = turn.seenIds.at(-1);
      if (messageId !== undefined && isOpen(turn) && !before.includes(turn)) void this.#keep(nameOf(turn, messageId));
    }
  }

  of(place: Place, messageId: string): Promise<string> {
    const name = nameOf(place, messageId);
    const id = this.#keep(name);
    this.#ids.delete(name);
    return id;
  }

  #keep(name: string): Promise<string> {
    const known = this.#ids.get(name);
    if (known !== undefined) return known;
    const id = idOf(name);
    // A failure is that of the message that asks for it.
    id.catch(() => undefined);
    this.#ids.set(name, id);
    const [oldest] = this.#ids.keys();
    if (this.#ids.size > MAX_KEPT && oldest !== undefined) this.#ids.delete(oldest);
    return id;
  }
}
