/**
 * `tasks logs`: the output of a task, with `-f` until the task has ended. Its control characters are made visible, also
 * in a pipe, behind which is often a terminal; `--raw` prints the bytes as they are.
 */
import { StringDecoder } from 'node:string_decoder';
import { Option } from 'commander';
import { request } from 'undici';
import { ErrorBodySchema } from '../../schema/contracts/common.ts';
import { LogPosition } from '../../schema/domain/log-gap.ts';
import { makeVisible } from '../../schema/domain/visible.ts';
import { connectionOptions } from '../config/flags.ts';
import { EdgeError } from '../edge/http-client.ts';
import { pause } from '../lib/clock.ts';
import type { Args, CliCommand } from './command.ts';
import { idArgument } from './command.ts';
import type { CommandDeps } from './deps.ts';
import { operatorConfig } from './edge-access.ts';
import { EXIT } from './exit-codes.ts';

const SUCCESS = 200;
const RETRY_MS = 1_000;
const MAX_RETRIES = 30;
/** A response that was open for so long had not failed: the edge ends each after some queries, also while a step prints nothing. */
const WORKED_MS = 10_000;

interface LogRequest {
  url: URL;
  token: string;
}

async function open({ url, token }: LogRequest) {
  try {
    return await request(url, { headers: { authorization: `Bearer ${token}` }, bodyTimeout: 0 });
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new EdgeError('network', 0, 'network', `${url.origin} cannot be reached: ${why}`);
  }
}

/** Prints what the log has from `offset` on. Returns where it stopped, and whether the edge ended the text. */
async function printFrom(log: LogRequest, offset: number, write: (bytes: Buffer) => void) {
  log.url.searchParams.set('offset', String(offset));
  const response = await open(log);
  const { statusCode } = response;
  if (statusCode !== SUCCESS) {
    const parsed = ErrorBodySchema.safeParse(await response.body.json());
    const { error, message } = parsed.success ? parsed.data : { error: 'unreadable_response', message: 'no envelope' };
    throw new EdgeError('status', statusCode, error, message);
  }
  const position = new LogPosition(offset);
  try {
    for await (const chunk of response.body) {
      const bytes = chunk as Buffer;
      position.read(bytes);
      write(bytes);
    }
    return { position: position.value, isWhole: true };
  } catch {
    // The edge breaks a stream off that it cannot finish; it continues behind what has arrived.
    return { position: position.value, isWhole: false };
  }
}

async function printLog(log: LogRequest, deps: CommandDeps, write: (bytes: Buffer) => void): Promise<void> {
  let retries = 0;
  for (let offset = 0; ; ) {
    const openedAt = deps.clock.monotonic();
    const { position, isWhole } = await printFrom(log, offset, write);
    if (isWhole) return;
    const hasWorked = position > offset || deps.clock.monotonic() - openedAt >= WORKED_MS;
    retries = hasWorked ? 0 : retries + 1;
    if (retries > MAX_RETRIES) throw new EdgeError('network', 0, 'network', 'the log breaks off again and again');
    offset = position;
    await pause(deps.clock, RETRY_MS);
  }
}

/** Writes the text with control characters made visible, or the bytes as they are. */
function writer(args: Args, { printBytes }: CommandDeps): { write: (bytes: Buffer) => void; end: () => void } {
  if (args.raw === true) return { write: printBytes, end: () => undefined };
  const decoder = new StringDecoder('utf8');
  const print = (text: string) => printBytes(Buffer.from(makeVisible(text)));
  return { write: (bytes) => print(decoder.write(bytes)), end: () => print(decoder.end()) };
}

export const taskLogs: CliCommand = {
  name: 'logs',
  about: 'print the output of a task',
  examples: ['tasks logs TASK_ID', 'tasks logs -f TASK_ID', 'tasks logs --raw TASK_ID'],
  argument: idArgument('task', 'task_…'),
  options: [
    ...connectionOptions,
    new Option('-f, --follow', 'follow it until the task has ended'),
    new Option('--raw', 'print the bytes as they are, with the control characters of the program'),
  ],
  run: async (args, deps) => {
    const { controlApiBase, operatorToken } = operatorConfig(args, deps);
    const url = new URL(`${controlApiBase}/v1/tasks/${encodeURIComponent(String(args.task))}/logs`);
    if (args.follow === true) url.searchParams.set('follow', '1');
    const { write, end } = writer(args, deps);
    await printLog({ url, token: operatorToken }, deps, write);
    end();
    return EXIT.fine;
  },
};
