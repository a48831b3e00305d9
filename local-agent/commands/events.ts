/**
 * `events`: what happens at the edge, one line each. With `-f` it runs until Ctrl-C, and continues behind the last commit
 * that it has printed whenever the stream ends or breaks off: nothing is missing, and nothing comes twice.
 */
import { Option } from 'commander';
import { request } from 'undici';
import { ErrorBodySchema } from '../../schema/contracts/common.ts';
import type { SystemEvent } from '../../schema/contracts/events.ts';
import { EVENT_TOPICS, EventSchema, RESET_EVENT } from '../../schema/contracts/events.ts';
import { makeVisibleLine } from '../../schema/domain/visible.ts';
import { valueOption } from '../config/flags.ts';
import { EdgeError } from '../edge/http-client.ts';
import { pause } from '../lib/clock.ts';
import type { Args, CliCommand } from './command.ts';
import { optionalText } from './command.ts';
import type { CommandDeps } from './deps.ts';
import { edgeOptions, operatorConfig } from './edge-access.ts';
import { EXIT, UsageError } from './exit-codes.ts';
import { moment } from './output.ts';
import { patientLook } from './repeatable.ts';

const SUCCESS = 200;
/** As long as the edge asks its clients to wait. */
const RETRY_MS = 1_000;

interface Stream {
  url: URL;
  token: string;
  print: (event: SystemEvent) => void;
  reset: (seq: number) => void;
}

async function open({ url, token }: Stream, after: string | null) {
  try {
    const position = after === null ? {} : { 'last-event-id': after };
    const headers = { authorization: `Bearer ${token}`, ...position };
    return await request(url, { headers, bodyTimeout: 0 });
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new EdgeError('network', 0, 'network', `${url.origin} cannot be reached: ${why}`);
  }
}

/** The fields of the blocks of a stream of server-sent events. Each field of the edge is one line. */
async function* blocksOf(body: AsyncIterable<Buffer>): AsyncGenerator<Record<string, string>> {
  const decoder = new TextDecoder();
  let text = '';
  for await (const chunk of body) {
    const blocks = `${text}${decoder.decode(chunk, { stream: true })}`.split('\n\n');
    text = blocks.pop() ?? '';
    for (const block of blocks) {
      const fields = block.split('\n').map((line) => /^(\w+): ?(.*)$/.exec(line) ?? []);
      yield Object.fromEntries(fields.flatMap(([, name, value = '']) => (name === undefined ? [] : [[name, value]])));
    }
  }
}

/** Prints what comes after a position until the stream ends. Returns the position behind the last whole commit. */
async function printFrom(stream: Stream, after: string | null): Promise<string | null> {
  const { statusCode, body } = await open(stream, after);
  if (statusCode !== SUCCESS) {
    const parsed = ErrorBodySchema.safeParse(await body.json().catch(() => null));
    const { error, message } = parsed.success ? parsed.data : { error: 'unreadable_response', message: 'no envelope' };
    throw new EdgeError('status', statusCode, error, message);
  }
  let position = after;
  let commit: SystemEvent[] = [];
  try {
    for await (const { id, event, data } of blocksOf(body)) {
      if (event === RESET_EVENT) stream.reset(Number(id));
      else if (data !== undefined) commit.push(EventSchema.parse(JSON.parse(data)));
      // Only the last event of a commit has the id; one that is cut before it comes again as a whole.
      if (id === undefined) continue;
      for (const one of commit) stream.print(one);
      commit = [];
      position = id;
    }
  } catch (error) {
    if (error instanceof SyntaxError || (error as Error).name === 'ZodError') throw error;
    // The connection broke off.
  }
  return position;
}

async function follow(stream: Stream, deps: CommandDeps, from: string | null): Promise<never> {
  const look = patientLook(deps, 'Ctrl-C');
  let position = await printFrom(stream, from);
  for (;;) {
    await pause(deps.clock, RETRY_MS);
    position = (await look(() => printFrom(stream, position))) ?? position;
  }
}

function printer(args: Args, deps: CommandDeps): Pick<Stream, 'print' | 'reset'> {
  if (args.json === true) {
    return {
      print: (event) => deps.print(JSON.stringify(event)),
      reset: (seq) => deps.print(JSON.stringify({ topic: RESET_EVENT, seq })),
    };
  }
  return {
    print: ({ at, topic, type, subject_id, data }) =>
      deps.print(makeVisibleLine(`${moment(at)} ${topic} ${type} ${subject_id} ${JSON.stringify(data)}`)),
    reset: (seq) => deps.warn(`the edge no longer has the events before ${seq}: some were missed`),
  };
}

function urlOf(args: Args, base: string): { url: URL; after: string | null } {
  const after = optionalText(args, 'after') ?? null;
  if (after !== null && !/^\d{1,15}$/.test(after)) throw new UsageError('--after: the seq of an event, a whole number');
  if (after === null && args.follow !== true) {
    throw new UsageError('-f follows what happens from now on; --after SEQ prints what has happened since that event');
  }
  const url = new URL(`${base}/v1/events`);
  if (Array.isArray(args.topic)) url.searchParams.set('topics', args.topic.join(','));
  if (args.follow !== true) url.searchParams.set('wait_ms', '0');
  return { url, after };
}

export const events: CliCommand = {
  name: 'events',
  about: 'print what happens at the edge, one line each',
  options: [
    ...edgeOptions,
    new Option('-f, --follow', 'go on until Ctrl-C, also when the edge was away'),
    new Option('--topic <topic...>', 'only events of these topics').choices(EVENT_TOPICS),
    valueOption('--after <seq>', 'begin behind the event with that seq'),
  ],
  examples: ['events -f', 'events -f --topic tasks runs --json', 'events --after 1200'],
  run: async (args, deps) => {
    const { controlApiBase, operatorToken: token } = operatorConfig(args, deps);
    const { url, after } = urlOf(args, controlApiBase);
    const stream = { url, token, ...printer(args, deps) };
    if (args.follow === true) await follow(stream, deps, after);
    await printFrom(stream, after);
    return EXIT.fine;
  },
};
