/**
 * `ask`: sends a message into a conversation once, and with `--wait` prints the assistant's answer to exactly that message.
 * The operation's id names the question: with the same one, a call that broke off is repeated and nothing is sent twice.
 */
import { randomUUID } from 'node:crypto';
import { Argument, Option } from 'commander';
import type { Ask } from '../../schema/contracts/asks.ts';
import { AskBodySchema, AskSchema } from '../../schema/contracts/asks.ts';
import { checkValue, firstIssueText } from '../../schema/contracts/issues.ts';
import { isOpenAsk } from '../../schema/domain/ask.ts';
import { makeVisible } from '../../schema/domain/visible.ts';
import { valueOption } from '../config/flags.ts';
import type { EdgeClient } from '../edge/http-client.ts';
import { pause } from '../lib/clock.ts';
import { printedCommand } from '../lib/printed-command.ts';
import type { Args, CliCommand } from './command.ts';
import { idArgument, optionalText } from './command.ts';
import type { CommandDeps } from './deps.ts';
import { edgeOptions, withEdge } from './edge-access.ts';
import type { ExitCode } from './exit-codes.ts';
import { EXIT, UsageError } from './exit-codes.ts';
import { present } from './output.ts';

const DEFAULT_TIMEOUT_S = 600;
const MAX_TIMEOUT_S = 86_400;
/** The first look comes early, later ones seldom. */
const POLL_MS = { first: 250, longest: 5_000 } as const;

function timeoutMs(args: Args): number {
  const text = optionalText(args, 'timeout');
  const seconds = text === undefined ? DEFAULT_TIMEOUT_S : Number(text);
  if (Number.isInteger(seconds) && seconds > 0 && seconds <= MAX_TIMEOUT_S) return seconds * 1_000;
  throw new UsageError(`--timeout: seconds, from 1 to ${MAX_TIMEOUT_S}; it was ${text}`);
}

function bodyOf(args: Args) {
  const operation_id = optionalText(args, 'operationId') ?? `ask-${randomUUID()}`;
  const body = checkValue(AskBodySchema, { operation_id, text: args.text });
  if (body.success) return body.data;
  throw new UsageError(firstIssueText(body.error, 'the question').replace(/^operation_id/, '--operation-id'));
}

/** Reads the ask until it has ended, or the time is over. */
async function follow(edge: EdgeClient, deps: CommandDeps, ask: Ask, waitMs: number): Promise<Ask> {
  const { clock } = deps;
  const until = clock.monotonic() + waitMs;
  let pauseMs: number = POLL_MS.first;
  let current = ask;
  while (isOpenAsk(current) && clock.monotonic() < until) {
    const ms = Math.min(pauseMs, Math.max(1, until - clock.monotonic()));
    await pause(clock, ms);
    pauseMs = Math.min(pauseMs * 2, POLL_MS.longest);
    const path = `/v1/asks/${encodeURIComponent(ask.operation_id)}`;
    current = await edge.call({ method: 'GET', path, schema: AskSchema });
  }
  return current;
}

/** What a person does about an ask without an answer. */
function advice({ state, reason, operation_id }: Ask, again: string): string {
  const why = reason === null ? '' : ` (${reason})`;
  switch (state) {
    case 'failed':
      return `it was not sent${why}; nothing of it is in the chat. Ask again under a new operation id`;
    case 'ambiguous':
      return `it is not known whether it was sent, or which answer is its own${why}; look at the chat before you ask again. A later answer that names it is shown by: ${again}`;
    case 'answered':
      return '';
    case 'queued':
    case 'sent':
      return `${operation_id} is ${state}${why}; to wait for the answer: ${again}`;
    default:
      return state satisfies never;
  }
}

function report(args: Args, deps: CommandDeps, ask: Ask, isWaiting: boolean): ExitCode {
  const { state, answer, operation_id, local_conversation_id } = ask;
  present(args, deps, ask, () => {
    if (answer !== null) deps.print(makeVisible(answer.text));
    else deps.print(`${operation_id} is ${state}`);
  });
  if (answer !== null) {
    if (answer.evidence === 'next') {
      deps.warn('the browser does not say which message this answers: it is the next one, and nothing came between');
    }
    return EXIT.fine;
  }
  const quoted = `'${ask.text.replaceAll("'", String.raw`'\''`)}'`;
  const command = `ask ${local_conversation_id} ${quoted} --operation-id ${operation_id} --wait`;
  deps.warn(advice(ask, printedCommand(deps.env, command, optionalText(args, 'root'))));
  const isFine = isOpenAsk(ask) && !isWaiting;
  return isFine ? EXIT.fine : EXIT.failed;
}

export const ask: CliCommand = {
  name: 'ask',
  about: 'send a message into a conversation once, and wait for the answer to exactly that message',
  argument: idArgument('conversation', 'lc_…'),
  further: [new Argument('<text>', 'the message, sent exactly as it is')],
  options: [
    ...edgeOptions,
    new Option('--wait', 'wait for the answer and print it'),
    valueOption('--timeout <seconds>', `how long to wait (default ${DEFAULT_TIMEOUT_S})`),
    valueOption('--operation-id <id>', 'your name of this question; a repeat under it sends nothing again'),
  ],
  examples: ['ask lc_01m8f… "What is left to do?" --wait', 'ask lc_01m8f… "Go on" --operation-id nightly-1'],
  run: (args, deps) => {
    const body = bodyOf(args);
    const waitMs = timeoutMs(args);
    const isWaiting = args.wait === true;
    return withEdge(args, deps, async (edge) => {
      const path = `/v1/conversations/${encodeURIComponent(String(args.conversation))}/ask`;
      const sent = await edge.call({ method: 'POST', path, body, schema: AskSchema });
      const last = isWaiting ? await follow(edge, deps, sent, waitMs) : sent;
      return report(args, deps, last, isWaiting);
    });
  },
};
