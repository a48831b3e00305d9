/**
 * The current `policy.json`. Every read checks whether the file has changed, so an effect is judged by what was saved last.
 * A watcher reports an invalid file as soon as it is saved. While the file is invalid or missing the last valid policy
 * stays in force: an editor that saves by replacing the file must not leave a moment without rules. Before any valid
 * policy was read, an invalid file denies everything and a missing file means the defaults.
 */

import { checkValue, firstIssueText } from '../../schema/contracts/issues.ts';
import type { Policy } from '../../schema/contracts/policy.ts';
import { PolicySchema } from '../../schema/contracts/policy.ts';
import { readStamped, watchFile } from '../host/watched-file.ts';

const DEFAULTS: Policy = PolicySchema.parse({});

/** @throws an Error that says in one line what is wrong */
function parsePolicy(text: string): Policy {
  const checked = checkValue(PolicySchema, parseJson(text));
  if (!checked.success) throw new Error(firstIssueText(checked.error, 'the file'));
  checkGlobs(checked.data);
  return checked.data;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new Error(`it is not JSON: ${oneLine(error)}`, { cause: error });
  }
}

/** The message of an error without line breaks, such as those of the text that a syntax error quotes. */
function oneLine(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).replace(/\s+/g, ' ');
}

/**
 * @throws when a glob is empty, or excludes or groups as globs of some programs do: as plain characters these would leave
 *   a tool without its rule and a secret in the output
 */
function checkGlobs(policy: Policy): void {
  const globs = [
    ...Object.keys(policy.tools).map((glob) => ({ key: 'tools', glob })),
    ...policy.redact.env.map((glob) => ({ key: 'redact.env', glob })),
  ];
  for (const { key, glob } of globs) {
    if (glob !== '' && !/^!|[()|]/.test(glob)) continue;
    throw new Error(`${key}: "${glob}" is no pattern; use *, ?, [a-z] and {one,other}, without !, ( ) and |`);
  }
}

export interface PolicyFileOptions {
  path: string;
  /** Called with the problem when the file becomes invalid, and with null when it is valid again. */
  onProblem: (problem: string | null) => void;
}

export class PolicyFile {
  readonly #options: PolicyFileOptions;
  #stamp = '';
  #policy: Policy | null = null;
  #problem: string | null = null;
  #existed = false;

  constructor(options: PolicyFileOptions) {
    this.#options = options;
    this.#refresh();
  }

  /** The policy in force; null when no valid policy was ever read. */
  current(): Policy | null {
    this.#refresh();
    return this.#policy;
  }

  /** The problem of the file as it is saved now; null when it is valid. */
  problem(): string | null {
    this.#refresh();
    return this.#problem;
  }

  /** Reports problems as the file is saved, until `signal` aborts. */
  watch(signal: AbortSignal): void {
    watchFile(this.#options.path, () => this.#refresh(), signal);
  }

  #refresh(): void {
    const file = readStamped(this.#options.path, this.#stamp);
    if (file.state === 'unchanged') return;
    this.#stamp = file.stamp;
    if (file.state === 'missing') {
      if (!this.#existed) this.#policy = DEFAULTS;
      this.#report(this.#existed ? 'the file is missing, and the defaults apply after a restart' : null);
      return;
    }
    this.#existed = true;
    if (file.state === 'unreadable') {
      this.#report(file.reason);
      return;
    }
    try {
      this.#policy = parsePolicy(file.text);
      this.#report(null);
    } catch (error) {
      this.#report(oneLine(error));
    }
  }

  /** What is wrong, and which rules apply until the file is valid. */
  #report(what: string | null): void {
    const until =
      this.#policy === null ? 'no tool runs until the file is valid' : 'the policy before it stays in force';
    const problem = what === null ? null : `${this.#options.path}: ${what}; ${until}`;
    if (problem === this.#problem) return;
    this.#problem = problem;
    this.#options.onProblem(problem);
  }
}
