/**
 * Groups what arrives in one turn, so that it costs one call and one commit. The timer has no delay: nothing waits
 * for company, and nothing lasts that would keep the object awake. One batch is in flight at a time; what arrives
 * meanwhile is the next one. A batch that fails is reported to `failed` and does not stop the next.
 */
export class TurnBatch<Item> {
  readonly #flush: (items: Item[]) => Promise<void>;
  readonly #failed: (items: Item[], error: unknown) => void;
  #items: Item[] = [];
  #running = false;

  constructor(flush: (items: Item[]) => Promise<void>, failed: (items: Item[], error: unknown) => void) {
    this.#flush = flush;
    this.#failed = failed;
  }

  add(item: Item): void {
    this.#items.push(item);
    if (this.#running) return;
    this.#running = true;
    setTimeout(() => void this.#run(), 0);
  }

  async #run(): Promise<void> {
    while (this.#items.length > 0) {
      const items = this.#items;
      this.#items = [];
      try {
        await this.#flush(items);
      } catch (error) {
        this.#failed(items, error);
      }
    }
    this.#running = false;
  }
}
