/**
 * `policy.json` as it is now. Every question looks whether the file has changed, so an effect is judged by what the
 * person saved last; a watcher reports a broken file as soon as it is saved. A broken file leaves the old policy in
 * force; at the start, with no old one, everything is denied. So does one that is gone, since an editor that saves by
 * putting a new file in its place must not leave a moment without rules. The defaults hold where no file was yet.
 */
import picomatch from 'picomatch';
import { z } from 'zod';
import type { Policy } from '../../schema/contracts/policy.ts';
import { PolicySchema } from '../../schema/contracts/policy.ts';
import { readStamped, watchFile } from '../host/watched-file.ts';

const DEFAULTS: Policy = PolicySchema.parse({});

/** @throws when a glob cannot be used: better when the file is read than when an instruction is judged. */
function checkGlobs(policy: Policy): void {
  for (const glob of [...Object.keys(policy.tools), ...policy.redact.env]) picomatch(glob);
}

export interface PolicyFileOptions {
  path: string;
  /** Called with what is wrong when the file breaks, and with null when it is well again. */
  onProblem: (problem: string | null) => void;
}

export class PolicyFile {
  readonly #options: PolicyFileOptions;
  #stamp = '';
  #policy: Policy | null = null;
  #problem: string | null = null;
  #wasThere = false;

  constructor(options: PolicyFileOptions) {
    this.#options = options;
    this.#refresh();
  }

  /** The policy in force; null when the file was never readable. */
  current(): Policy | null {
    this.#refresh();
    return this.#policy;
  }

  /** What is wrong with the file as it is saved now; null when nothing is. */
  problem(): string | null {
    this.#refresh();
    return this.#problem;
  }

  /** Reports changes as they are saved, until `signal` aborts. */
  watch(signal: AbortSignal): void {
    watchFile(this.#options.path, () => this.#refresh(), signal);
  }

  #refresh(): void {
    const file = readStamped(this.#options.path, this.#stamp);
    if (file.state === 'unchanged') return;
    this.#stamp = file.stamp;
    if (file.state === 'missing') {
      if (!this.#wasThere) this.#policy = DEFAULTS;
      this.#report(this.#wasThere ? 'it is gone; after a restart the defaults hold' : null);
      return;
    }
    this.#wasThere = true;
    if (file.state === 'unreadable') {
      this.#report(file.reason);
      return;
    }
    try {
      const policy = PolicySchema.parse(JSON.parse(file.text));
      checkGlobs(policy);
      this.#policy = policy;
      this.#report(null);
    } catch (error) {
      this.#report(error instanceof z.ZodError ? z.prettifyError(error) : String(error));
    }
  }

  #report(problem: string | null): void {
    if (problem === this.#problem) return;
    this.#problem = problem;
    this.#options.onProblem(problem);
  }
}
