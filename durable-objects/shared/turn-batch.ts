/**
 * Groups what arrives together, so that it costs one call and one commit. What comes alone goes at once: a timer, even
 * one without delay, costs it more than the call. As soon as there was company, the next batch waits for the end of its
 * turn. No timer lasts, so nothing keeps the object awake. One batch is in flight at a time; what arrives meanwhile is
 * the next one. A batch that fails is reported to `failed` and does not stop the next.
 */
export class TurnBatch<Item> {
  readonly #flush: (items: Item[]) => Promise<void>;
  readonly #failed: (items: Item[], error: unknown) => void;
  #items: Item[] = [];
  #running = false;
  /** Whether the last batch held more than one. */
  #crowded = false;

  constructor(flush: (items: Item[]) => Promise<void>, failed: (items: Item[], error: unknown) => void) {
    this.#flush = flush;
    this.#failed = failed;
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
        this.#failed(items, error);
      }
    }
    this.#running = false;
  }
}
