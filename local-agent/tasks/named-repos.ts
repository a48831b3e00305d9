/**
 * Which repositories of its configuration a node claims steps for. The disk of one may be mounted only after the agent has
 * started, and each claim before that would use up an attempt; but steps of one that has vanished would wait for ever without
 * a claim. So a missing one is named after a time, and after each claim for it again only after that time.
 */
import { hasRepo } from '../worktrees/task-folder.ts';
import type { RunsHost } from './host.ts';

/** Since when each repository is missing, or when the last step was claimed for it then. */
type Missing = ReadonlyMap<string, number>;

interface Look {
  names: readonly string[];
  isThere: (name: string) => boolean;
  missing: Missing;
  now: number;
  afterMs: number;
}

interface Seen {
  named: string[];
  missing: Missing;
  /** How soon the next one is named; null when none waits. */
  nextInMs: number | null;
}

function lookAtRepos({ names, isThere, missing, now, afterMs }: Look): Seen {
  const seen = new Map(names.filter((name) => !isThere(name)).map((name) => [name, missing.get(name) ?? now]));
  const restMs = (name: string) => (seen.get(name) ?? -Infinity) + afterMs - now;
  const waits = names.filter((name) => restMs(name) > 0);
  return {
    named: names.filter((name) => !waits.includes(name)),
    missing: seen,
    nextInMs: waits.length === 0 ? null : Math.min(...waits.map(restMs)),
  };
}

export class NamedRepos {
  readonly #host: Pick<RunsHost, 'repos' | 'clock' | 'missingRepoMs'>;
  readonly #wake: () => void;
  #missing: Missing = new Map();
  #cancel: () => void = () => undefined;

  /** `wake` asks for work: a repository is named from then on. */
  constructor(host: Pick<RunsHost, 'repos' | 'clock' | 'missingRepoMs'>, wake: () => void) {
    this.#host = host;
    this.#wake = wake;
  }

  /** For the next claim. */
  look(): string[] {
    const { repos, clock, missingRepoMs: afterMs } = this.#host;
    const isThere = (name: string) => hasRepo(name, repos);
    const look = { names: Object.keys(repos), isThere, missing: this.#missing, now: clock.monotonic(), afterMs };
    const { named, missing, nextInMs } = lookAtRepos(look);
    this.#missing = missing;
    this.#cancel();
    if (nextInMs !== null) this.#cancel = clock.after(nextInMs, this.#wake);
    return named;
  }

  /** A step of it was claimed. */
  claimed(name: string | null): void {
    if (name === null || !this.#missing.has(name)) return;
    this.#missing = new Map([...this.#missing, [name, this.#host.clock.monotonic()]]);
  }

  stop(): void {
    this.#cancel();
  }
}
