/**
 * `ask`: sends a message into a conversation once, and with `--wait` prints the assistant's answer to exactly that message.
 * The operation's id names the question: with the same one, a call that broke off is repeated and nothing is sent twice.
 */
import { Argument, Option } from 'commander';
import type { Ask } from '../../schema/contracts/asks.ts';
import { AskBodySchema, AskSchema } from '../../schema/contracts/asks.ts';
import { checkValue, firstIssueText } from '../../schema/contracts/issues.ts';
import { isOpenAsk } from '../../schema/domain/ask.ts';
import { makeVisible } from '../../schema/domain/visible.ts';
import { valueOption } from '../config/flags.ts';
import type { EdgeClient } from '../edge/http-client.ts';
import type { Args, CliCommand } from './command.ts';
import { idArgument, optionalText } from './command.ts';
import type { CommandDeps } from './deps.ts';
import { edgeOptions, withEdge } from './edge-access.ts';
import type { ExitCode } from './exit-codes.ts';
import { BrokenOffError, EXIT, UsageError } from './exit-codes.ts';
import { present, progress } from './output.ts';
import type { Operation } from './repeatable.ts';
import { callOnce, operationOf, operationOption, patientLook } from './repeatable.ts';
import { pauseUntil } from './watch.ts';

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

function bodyOf(args: Args, { id }: Operation) {
  const body = checkValue(AskBodySchema, { operation_id: id, text: args.text });
  if (body.success) return body.data;
  throw new UsageError(firstIssueText(body.error, 'the question').replace(/^operation_id/, '--operation-id'));
}

/** Reads the ask until it has ended, the time is over, or the program is asked to stop. An edge that is away is waited for. */
async function follow(edge: EdgeClient, deps: CommandDeps, ask: Ask, waitMs: number): Promise<Ask> {
  const { clock } = deps;
  const until = clock.monotonic() + waitMs;
  const path = `/v1/asks/${encodeURIComponent(ask.operation_id)}`;
  const look = patientLook(deps, 'the time is over, or Ctrl-C');
  let isStopped = false;
  const stopped = deps.stopSignal().then(() => {
    isStopped = true;
  });
  let pauseMs: number = POLL_MS.first;
  let current = ask;
  let said = '';
  while (isOpenAsk(current) && clock.monotonic() < until && !isStopped) {
    if (said !== current.state) progress(deps, `${ask.operation_id} is ${current.state}; waiting for the answer`);
    said = current.state;
    await pauseUntil(deps, Math.min(pauseMs, Math.max(1, until - clock.monotonic())), stopped);
    pauseMs = Math.min(pauseMs * 2, POLL_MS.longest);
    const looking = look(() => edge.call({ method: 'GET', path, schema: AskSchema }));
    looking.catch(() => undefined);
    current = (await Promise.race([stopped, looking])) ?? current;
  }
  return current;
}

/** @throws BrokenOffError when the edge refuses to say what became of it */
async function followed(
  edge: EdgeClient,
  deps: CommandDeps,
  { line }: Operation,
  sent: Ask,
  waitMs: number,
): Promise<Ask> {
  try {
    return await follow(edge, deps, sent, waitMs);
  } catch (error) {
    throw new BrokenOffError(error, line);
  }
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

function report(args: Args, deps: CommandDeps, { line }: Operation, ask: Ask): ExitCode {
  const { state, answer, operation_id } = ask;
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
  deps.warn(advice(ask, line));
  const isFine = isOpenAsk(ask) && args.wait !== true;
  return isFine ? EXIT.fine : EXIT.failed;
}

const parameters = {
  argument: idArgument('conversation', 'lc_…'),
  further: [new Argument('<text>', 'the message, sent exactly as it is')],
  options: [
    ...edgeOptions,
    new Option('--wait', 'wait for the answer and print it'),
    valueOption('--timeout <seconds>', `how long to wait (default ${DEFAULT_TIMEOUT_S})`),
    operationOption,
  ],
};

export const ask: CliCommand = {
  name: 'ask',
  about: 'send a message into a conversation once, and wait for the answer to exactly that message',
  ...parameters,
  examples: ['ask lc_01m8f… "What is left to do?" --wait', 'ask lc_01m8f… "Go on" --operation-id nightly-1'],
  run: (args, deps) => {
    const operation = operationOf({ path: 'ask', ...parameters }, args, deps, { wait: true });
    const body = bodyOf(args, operation);
    const waitMs = timeoutMs(args);
    return withEdge(args, deps, async (edge) => {
      const path = `/v1/conversations/${encodeURIComponent(String(args.conversation))}/ask`;
      const sent = await callOnce(deps, operation, () => edge.call({ method: 'POST', path, body, schema: AskSchema }));
      return report(
        args,
        deps,
        operation,
        args.wait === true ? await followed(edge, deps, operation, sent, waitMs) : sent,
      );
    });
  },
};
