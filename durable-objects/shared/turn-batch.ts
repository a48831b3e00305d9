/**
 * Groups items that arrive together into one call and one commit. A single item is flushed immediately, because even a
 * timer without delay would cost it more than the call. If the previous batch had several items, the flush waits for the
 * end of the turn. No long-lived timer is used, so the object can hibernate. One batch is in flight at a time; items that
 * arrive meanwhile are the next one. A batch that fails is passed to `onError` and does not stop the next.
 */
export class TurnBatch<Item> {
  readonly #flush: (items: Item[]) => Promise<void>;
  readonly #onError: (items: Item[], error: unknown) => void;
  #items: Item[] = [];
  #running = false;
  /** Whether the last batch had more than one item. */
  #crowded = false;

  constructor(flush: (items: Item[]) => Promise<void>, onError: (items: Item[], error: unknown) => void) {
    this.#flush = flush;
    this.#onError = onError;
  }

  add(item: Item): void {
    this.#items.push(item);
    if (this.#running) return;
    this.#running = true;
    if (this.#crowded) setTimeout(() => void this.#run(), 0);
    else void this.#run();
  }

  async #run(): Promise<void> {
    while (this.#items.length > 0) {
      const items = this.#items;
      this.#items = [];
      this.#crowded = items.length > 1;
      try {
        await this.#flush(items);
      } catch (error) {
        this.#onError(items, error);
      }
    }
    this.#running = false;
  }
}
