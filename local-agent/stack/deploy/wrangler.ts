/**
 * wrangler as a child program. It gets no terminal, so it asks nothing and fails where it would ask. A secret reaches it
 * through standard input only. The first `wrangler` on PATH is taken, which `npm run` makes the one of this repository.
 */
import { spawn } from 'node:child_process';
import type { z } from 'zod';
import { checkValue, firstIssueText } from '../../../schema/contracts/issues.ts';
import { StepError } from './step-error.ts';

const TIMEOUT_MS = 600_000;
const MAX_OUTPUT_CHARS = 4_000_000;
const SHOWN_LINES = 12;
const QUIET = { WRANGLER_SEND_METRICS: 'false', WRANGLER_HIDE_BANNER: 'true', NO_COLOR: '1', FORCE_COLOR: '0' };

export interface Ran {
  code: number | null;
  out: string;
  err: string;
}

export interface RunOptions {
  stdin?: string;
  env?: Record<string, string>;
}

export type RunWrangler = (args: readonly string[], options?: RunOptions) => Promise<Ran>;

/** Runs wrangler in `folder`. Resolves with what it printed, and `code` null when it did not end in ten minutes. */
export function wranglerIn(folder: string, environment: NodeJS.ProcessEnv): RunWrangler {
  return (args, { stdin = '', env = {} } = {}) =>
    new Promise((resolve, reject) => {
      const child = spawn('wrangler', args, {
        cwd: folder,
        env: { ...environment, ...QUIET, ...env },
        timeout: TIMEOUT_MS,
        stdio: 'pipe',
      });
      const ran = { out: '', err: '' };
      child.stdout.setEncoding('utf8').on('data', (text: string) => {
        if (ran.out.length < MAX_OUTPUT_CHARS) ran.out += text;
      });
      child.stderr.setEncoding('utf8').on('data', (text: string) => {
        if (ran.err.length < MAX_OUTPUT_CHARS) ran.err += text;
      });
      child.on('error', (error) =>
        reject(
          new StepError(
            'wrangler does not start',
            error.message,
            'install the dependencies with npm ci, then use npm run',
          ),
        ),
      );
      // It may end before it has read its input.
      child.stdin.on('error', () => undefined);
      child.stdin.end(stdin);
      child.on('close', (code) => resolve({ code, ...ran }));
    });
}

/** The end of what it printed, where wrangler writes what went wrong. */
function lastLines({ out, err }: Ran): string {
  const lines = `${out}\n${err}`.split('\n').filter((line) => line.trim() !== '');
  return lines.slice(-SHOWN_LINES).join('\n');
}

/** `wrangler <args>` as a person types it. */
export function commandLine(args: readonly string[]): string {
  return ['npx', 'wrangler', ...args.map((arg) => (/\s|=$/.test(arg) ? JSON.stringify(arg) : arg))].join(' ');
}

/** @throws StepError when it failed */
export function requireSuccess(args: readonly string[], ran: Ran): Ran {
  if (ran.code === 0) return ran;
  const how = ran.code === null ? 'did not end in 10 minutes' : `ended with code ${ran.code}`;
  throw new StepError(
    `"${commandLine(args)}" ${how}`,
    lastLines(ran) || 'it printed nothing',
    'mend what it says, then run the deploy again: it continues at this step',
  );
}

/** What wrangler printed as JSON. Lines before it, such as warnings, are left out. @throws StepError */
export function readJsonOutput<T extends z.ZodType>(args: readonly string[], { out }: Ran, schema: T): z.output<T> {
  const start = /^[[{]/m.exec(out)?.index ?? 0;
  let value: unknown;
  try {
    value = JSON.parse(out.slice(start));
  } catch {
    value = undefined;
  }
  const parsed = checkValue(schema, value);
  if (parsed.success) return parsed.data;
  throw new StepError(
    `"${commandLine(args)}" printed something else than expected`,
    firstIssueText(parsed.error, 'its output'),
    'use the wrangler of this repository: npm ci, then npm run deploy',
  );
}
