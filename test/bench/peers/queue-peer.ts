/** A job queue that others keep, with one worker that waits for jobs. Its package is installed by hand. */
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import type { Cleanup } from '../harness/cleanup.ts';

export interface QueuePeer {
  name: string;
  /** A job is added; over when the waiting worker begins it. */
  pickUp(): Promise<void>;
  /** Waits until the job that was picked up has ended. */
  settle(): Promise<void>;
  /** Create, claim, heartbeat, complete by one caller; only where the queue has calls for it. */
  cycle?(): Promise<void>;
}

/** The peer, ready; or why it is absent. */
export type QueuePeerStart = (cleanup: Cleanup) => Promise<QueuePeer | { absent: string }>;

const requirePeer = createRequire(join(import.meta.dirname, 'package.json'));

/** The exports of a package of this folder, of the shape that the caller uses; or why they are absent. */
export function loadPeer<T>(name: string): T | { absent: string } {
  // A path, so that the packages of the product never take its place.
  const folder = join(import.meta.dirname, 'node_modules', name);
  if (!existsSync(folder)) return { absent: 'it is not installed; install it with: npm ci --prefix test/bench/peers' };
  return requirePeer(folder) as T;
}

/** What joins the caller that adds a job and the worker that begins it: one job is under way at a time. */
export class Handover {
  #begun = Promise.withResolvers<void>();
  #work: Promise<unknown> = Promise.resolve();

  /** Adds a job and waits for its beginning. */
  async pickUp(add: () => Promise<unknown>): Promise<void> {
    this.#begun = Promise.withResolvers<void>();
    this.#work = add();
    // A refused job is never begun.
    this.#work.catch(this.#begun.reject);
    await this.#begun.promise;
  }

  begins(): void {
    this.#begun.resolve();
  }

  async added(): Promise<void> {
    await this.#work;
  }
}
