/**
 * `completion`: a script that completes command lines in a shell. The script asks the program itself, by the hidden command
 * `complete`, so what it offers is always what this version has. The words of the line are passed on as they are; nothing
 * of them is evaluated. Ids come from the edge when it responds quickly enough for a person who waits.
 */
import type { Command } from 'commander';
import { Argument } from 'commander';
import { z } from 'zod';
import { SearchResponseSchema } from '../../schema/contracts/search.ts';
import { makeVisibleLine } from '../../schema/domain/visible.ts';
import type { EdgeClient } from '../edge/http-client.ts';
import type { CliCommand } from './command.ts';
import type { Candidate, Completions } from './completions.ts';
import { completionsAt } from './completions.ts';
import type { CommandDeps } from './deps.ts';
import { withEdge } from './edge-access.ts';
import { EXIT } from './exit-codes.ts';
import { idsOn, OBJECTS } from './objects.ts';
import { SHELL_SCRIPTS } from './shell-scripts.ts';

/** A person waits for the shell: after this, ids are left out. */
const EDGE_MS = 300;
const MAX_IDS = 50;
const ABOUT_CHARS = 80;

export const completion: CliCommand = {
  name: 'completion',
  about: 'print a script that completes command lines in a shell',
  examples: ['completion bash', 'completion zsh', 'completion fish'],
  argument: new Argument('<shell>', 'the shell').choices(Object.keys(SHELL_SCRIPTS)),
  options: [],
  run: async (args, deps) => {
    deps.print(SHELL_SCRIPTS[String(args.shell)] ?? '');
    return EXIT.fine;
  },
};

/** The ids that begin with `start`, newest first, or only those with that status. */
async function readIds(edge: EdgeClient, object: string, status: string | null, start: string): Promise<Candidate[]> {
  const kind = OBJECTS[object];
  if (kind === undefined) return [];
  if (kind.list === null) {
    if (kind.found === null) return [];
    const q = start === '' ? `${kind.prefix}_` : start;
    const path = `/v1/search?${new URLSearchParams({ q })}`;
    const { items } = await edge.call({ method: 'GET', path, timeoutMs: EDGE_MS, schema: SearchResponseSchema });
    return items.filter((one) => one.kind === kind.found).map(({ id }) => ({ value: id, about: '' }));
  }
  const query = new URLSearchParams({ limit: String(MAX_IDS), ...(status !== null && { status }) });
  const path = `${kind.list.path}?${query}`;
  const page = await edge.call({ method: 'GET', path, timeoutMs: EDGE_MS, schema: z.unknown() });
  return idsOn(page, kind.list)
    .filter(({ id }) => id.startsWith(start))
    .map(({ id, about }) => ({ value: id, about }));
}

async function idsFor(
  { object, status }: Completions,
  words: readonly string[],
  deps: CommandDeps,
): Promise<Candidate[]> {
  if (object === null) return [];
  const root = words.includes('--root') ? words[words.indexOf('--root') + 1] : undefined;
  try {
    return await withEdge({ root }, deps, (edge) => readIds(edge, object, status, words.at(-1) ?? ''));
  } catch {
    // No system, no token, or no response in time: what a shell completes must not become a message.
    return [];
  }
}

/** One line for each candidate, with its description behind a tab; the line `:files` asks the shell for names of files. */
async function printCompletions(program: Command, words: readonly string[], deps: CommandDeps): Promise<void> {
  const found = completionsAt(program, words);
  const ids = await idsFor(found, words, deps);
  for (const { value, about } of [...found.candidates, ...ids]) {
    const line = makeVisibleLine(about).slice(0, ABOUT_CHARS).toWellFormed();
    deps.print(line === '' ? value : `${value}\t${line}`);
  }
  if (found.files) deps.print(':files');
}

/** Adds the hidden command that the scripts call, as `complete -- WORDS`. The last word is the one to complete. */
export function addComplete(program: Command, deps: CommandDeps): void {
  program
    .command('complete', { hidden: true })
    .argument('[words...]')
    .action((words: string[]) => printCompletions(program, words, deps));
}
