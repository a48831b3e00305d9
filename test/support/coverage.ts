/**
 * Counts what the runs of a model test reach. A property that holds because nothing ever happened proves nothing, so a
 * model test says how often each command, branch and fault must occur over all its runs.
 */
import { expect } from 'vitest';

export class Coverage<Name extends string> {
  readonly #counts: Record<string, number> = {};

  reach(name: Name): void {
    this.#counts[name] = (this.#counts[name] ?? 0) + 1;
  }

  /** Fails when one of `names` was reached fewer than `times` times. */
  expectEach(names: readonly Name[], times: number): void {
    const rare = names.filter((name) => (this.#counts[name] ?? 0) < times);
    expect(rare, `reached fewer than ${times} times, of ${JSON.stringify(this.#counts)}`).toEqual([]);
  }
}
