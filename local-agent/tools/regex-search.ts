/**
 * Finding a regular expression within a time limit. It runs in a thread of its own, which is ended when one text takes too
 * long; the next text gets a new one.
 */
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { programFile } from '../host/program-file.ts';
import type { FindMatches, TextMatch } from './text-search.ts';

export interface RegexSetup {
  source: string;
  flags: string;
}

export interface RegexQuestion {
  text: string;
  most: number;
}

export interface RegexAnswer {
  found: TextMatch[];
}

/** How long one text may take. Usual expressions need a few milliseconds for the largest. */
const TEXT_MS = 2_000;
/** After this many texts that took too long the search ends. */
const MAX_SLOW = 3;
const MEMORY_MB = 128;

/** The flags under which the source is valid, with `u` when it can be; the problem when it is not valid. */
export function regexSetup(source: string, ignoreCase: boolean): RegexSetup | { problem: string } {
  const flags = ignoreCase ? 'gmi' : 'gm';
  let problem = '';
  for (const tried of [`${flags}u`, flags]) {
    try {
      new RegExp(source, tried);
      return { source, flags: tried };
    } catch (error) {
      problem = error instanceof Error ? error.message : String(error);
    }
  }
  return { problem };
}

export class RegexSearch {
  readonly #setup: RegexSetup;
  readonly #signal: AbortSignal;
  readonly #textMs: number;
  #worker: Worker | null = null;
  #slow = 0;

  constructor(setup: RegexSetup, signal: AbortSignal, textMs = TEXT_MS) {
    this.#setup = setup;
    this.#signal = signal;
    this.#textMs = textMs;
  }

  /** Whether so many texts took too long that the search is of no use. */
  get isTooSlow(): boolean {
    return this.#slow >= MAX_SLOW;
  }

  /** The matches; null when the text takes too much time or memory. */
  readonly find: FindMatches = async (text, most) => {
    try {
      const worker = await this.#running();
      const limit = AbortSignal.any([this.#signal, AbortSignal.timeout(this.#textMs)]);
      worker.postMessage({ text, most } satisfies RegexQuestion);
      const [answer] = (await once(worker, 'message', { signal: limit })) as [RegexAnswer];
      return answer.found;
    } catch {
      this.#slow += 1;
      await this.close();
      return null;
    }
  };

  async close(): Promise<void> {
    const worker = this.#worker;
    this.#worker = null;
    await worker?.terminate();
  }

  /** The thread, ready for a text. The time that it needs to start counts for no text. */
  async #running(): Promise<Worker> {
    if (this.#worker) return this.#worker;
    this.#worker = new Worker(programFile('tools/regex-worker'), {
      workerData: this.#setup,
      env: {},
      execArgv: [],
      resourceLimits: { maxOldGenerationSizeMb: MEMORY_MB },
    });
    // An error ends the wait for its message. One that comes later is of no interest, and must not end the agent.
    this.#worker.on('error', () => undefined);
    await once(this.#worker, 'message', { signal: this.#signal });
    return this.#worker;
  }
}
