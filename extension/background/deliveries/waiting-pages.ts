/**
 * Conversations in which a message waits because of what the page showed: a draft, an answer in progress, a question to the
 * person. When the page can be used again, the agent is notified, so that the message need not wait for its next attempt.
 */
import type { Platform } from '../../../schema/contracts/common.ts';
import { typingPauseLeftMs } from '../../lib/typing-pause.ts';
import type { PageLook } from '../../messages.ts';
import type { End } from './end.ts';
import { readiness } from './readiness.ts';

/** Reasons that end with something that the page shows. A limit ends with its time. */
const OF_PAGE: ReadonlySet<string | null> = new Set([
  'answer_is_streaming',
  'choice_prompt',
  'composer_busy',
  'draft_in_composer',
  'old_version_of_page',
  'page_error',
  'permission_prompt',
  'person_is_typing',
]);
const MAX_WAITING = 64;

export interface WaitingPagesDeps {
  looks: { on(listener: (seen: { tabId: number; look: PageLook }) => void): () => void };
  /** What a tab shows now; rejects when its page does not respond. */
  look(tabId: number): Promise<PageLook>;
  clock: { now(): number; after(delayMs: number, run: () => void): () => void };
  /** The page of this conversation can be used again. */
  onFree(platform: Platform, conversationId: string): void;
}

interface Waiting {
  platform: Platform;
  conversationId: string;
  tabId: number;
  /** When the agent tries again by itself. */
  until: number;
  cancelLook: () => void;
}

export class WaitingPages {
  readonly #deps: WaitingPagesDeps;
  readonly #waiting = new Map<string, Waiting>();
  readonly #stopListening: () => void;

  constructor(deps: WaitingPagesDeps) {
    this.#deps = deps;
    this.#stopListening = deps.looks.on(({ tabId, look }) => this.#onLook(tabId, look));
  }

  /** A delivery into that tab has ended. */
  ended(platform: Platform, conversationId: string | null, tabId: number | null, end: End): void {
    if (conversationId === null) return;
    const key = `${platform}:${conversationId}`;
    this.#remove(key);
    const isWaiting = end.outcome === 'deferred' && OF_PAGE.has(end.reason) && tabId !== null;
    if (!isWaiting || this.#waiting.size >= MAX_WAITING) return;
    const until = this.#deps.clock.now() + (end.retryAfterMs ?? 0);
    this.#waiting.set(key, { platform, conversationId, tabId, until, cancelLook: () => undefined });
  }

  stop(): void {
    this.#stopListening();
    for (const key of [...this.#waiting.keys()]) this.#remove(key);
  }

  #onLook(tabId: number, look: PageLook): void {
    for (const [key, waiting] of this.#waiting) if (waiting.tabId === tabId) this.#consider(key, waiting, look);
  }

  #consider(key: string, waiting: Waiting, look: PageLook): void {
    const { clock, onFree } = this.#deps;
    const { platform, conversationId, until } = waiting;
    const now = clock.now();
    const isFree = (seen: PageLook) =>
      seen.composer === 'empty' && readiness(seen, conversationId, now).type === 'ready';
    if (now >= until) {
      this.#remove(key);
    } else if (isFree(look)) {
      this.#remove(key);
      onFree(platform, conversationId);
    } else if (isFree({ ...look, typedAgoMs: null })) {
      // Nothing in the page changes when the pause after a key is over.
      this.#lookIn(typingPauseLeftMs(look.typedAgoMs), key, waiting);
    }
  }

  #lookIn(delayMs: number, key: string, waiting: Waiting): void {
    const { clock, look } = this.#deps;
    waiting.cancelLook();
    waiting.cancelLook = clock.after(delayMs, () => {
      if (this.#waiting.get(key) !== waiting) return;
      look(waiting.tabId).then(
        (seen) => {
          if (this.#waiting.get(key) === waiting) this.#consider(key, waiting, seen);
        },
        () => this.#remove(key),
      );
    });
  }

  #remove(key: string): void {
    this.#waiting.get(key)?.cancelLook();
    this.#waiting.delete(key);
  }
}
