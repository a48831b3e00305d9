/**
 * The agent's log: JSON lines in a file that rolls by day and size, and a readable form on a terminal. Fields that hold
 * secrets are removed from both, at any of three depths.
 */
import { styleText } from 'node:util';
import type { Logger } from 'pino';
import { multistream, pino, stdSerializers } from 'pino';
import { z } from 'zod';
import { EdgeError } from './edge/http-client.ts';
import { RollingFile } from './rolling-file.ts';

const SECRET_FIELDS = ['token', 'authorization', 'sharedToken', 'operatorToken', 'secret'];
export interface AgentLog {
  logger: Logger;
  /** Flushes the file. */
  close(): Promise<void>;
}

const LineSchema = z.looseObject({ level: z.number(), time: z.number(), msg: z.string().default('') });
const HIDDEN_FIELDS: ReadonlySet<string> = new Set(['level', 'time', 'msg', 'pid', 'hostname']);
const WARN = 40;
const ERROR = 50;

function fieldText(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}

/** An unreachable edge is an expected error and is logged without a stack. */
function describeError(error: unknown): unknown {
  if (error instanceof EdgeError) return { code: error.code, status: error.status, message: error.message };
  return error instanceof Error ? stdSerializers.err(error) : error;
}

/** The readable form of one line of the log. */
export function humanLine(json: string, colour: boolean): string {
  const line = LineSchema.parse(JSON.parse(json));
  const word = line.level >= ERROR ? 'error' : line.level >= WARN ? 'warn' : 'info';
  const style = word === 'error' ? 'red' : word === 'warn' ? 'yellow' : 'green';
  const name = colour ? styleText(style, word.padEnd(5), { validateStream: false }) : word.padEnd(5);
  const fields = Object.entries(line).filter(([key]) => !HIDDEN_FIELDS.has(key));
  const details = fields.map(([key, value]) => ` ${key}=${fieldText(value)}`).join('');
  return `${new Date(line.time).toISOString().slice(11, 19)}Z ${name} ${line.msg}${details}`;
}

export interface LogOptions {
  dir: string;
  /** Gets the readable form of each line. */
  terminal: ((line: string) => void) | null;
  /** Gets a line when the file cannot be written. */
  warn: (line: string) => void;
}

/** Opens the log in `dir`. */
export async function openLog({ dir, terminal, warn }: LogOptions): Promise<AgentLog> {
  const file = await RollingFile.open({
    dir,
    name: 'agent',
    onFault: warn,
    onRecovered: (lost) => logger.warn({ lost }, 'the log is written again; that many lines are missing'),
  });
  const streams: { stream: { write(chunk: string): void } }[] = [{ stream: file }];
  if (terminal !== null) {
    const write = (chunk: string): void => {
      for (const line of chunk.split('\n')) if (line !== '') terminal(humanLine(line, true));
    };
    streams.push({ stream: { write } });
  }
  const redact = { paths: SECRET_FIELDS.flatMap((field) => [field, `*.${field}`, `*.*.${field}`]), remove: true };
  const logger = pino({ base: null, redact, serializers: { error: describeError } }, multistream(streams));
  return { logger, close: () => file.close() };
}
