/** What a benchmark has opened is closed when it ends, however it ends, the last opened first. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export class Cleanup {
  readonly #closers: (() => unknown)[] = [];

  /** Has `close` called at the end; returns `thing`. */
  add<T>(thing: T, close: (thing: T) => unknown): T {
    this.#closers.push(() => close(thing));
    return thing;
  }

  /** A new folder that is deleted at the end. */
  folder(): string {
    return this.add(mkdtempSync(join(tmpdir(), 'conductor-bench-')), (path) =>
      rmSync(path, { recursive: true, force: true }),
    );
  }

  async run(): Promise<void> {
    for (const close of this.#closers.splice(0).reverse()) await close();
  }
}

/** Runs `use` and then closes what it has opened. */
export async function withCleanup<T>(use: (cleanup: Cleanup) => Promise<T>): Promise<T> {
  const cleanup = new Cleanup();
  try {
    return await use(cleanup);
  } finally {
    await cleanup.run();
  }
}
