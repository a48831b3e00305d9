/** A line of a log for people: the time in their zone, the level, the message, and the other fields. */
import { z } from 'zod';
import { makeVisibleLine } from '../../schema/domain/visible.ts';
import type { CommandDeps } from './deps.ts';
import { styled } from './output.ts';

/** What the logs of agent, edge, ticks and runs call the same things. */
const LineSchema = z.looseObject({});
const TIMES = ['time', 'at', 'ts'];
const LEVELS = ['level', 'result'];
const MESSAGES = ['msg', 'message', 'what', 'stage'];
const NUMBERED = { error: 50, warn: 40, info: 30 };
const STYLES = { error: 'red', failed: 'red', warn: 'yellow', info: 'green', ok: 'green' } as const;
const LEVEL_WIDTH = 5;

type Fields = Readonly<Record<string, unknown>>;

function take(fields: Fields, names: readonly string[]): [string | null, unknown] {
  const name = names.find((one) => fields[one] !== undefined && fields[one] !== null) ?? null;
  return [name, name === null ? null : fields[name]];
}

/** Date and time where the reader is. */
function timeText(value: unknown): string {
  const at = new Date(typeof value === 'number' || typeof value === 'string' ? value : Number.NaN);
  if (Number.isNaN(at.getTime())) return '';
  const two = (part: number): string => String(part).padStart(2, '0');
  const day = [at.getFullYear(), two(at.getMonth() + 1), two(at.getDate())].join('-');
  return `${day} ${[at.getHours(), at.getMinutes(), at.getSeconds()].map(two).join(':')} `;
}

function levelText(value: unknown): string {
  if (typeof value !== 'number') return typeof value === 'string' ? value : 'info';
  if (value >= NUMBERED.error) return 'error';
  return value >= NUMBERED.warn ? 'warn' : value >= NUMBERED.info ? 'info' : 'debug';
}

const valueText = (value: unknown): string =>
  makeVisibleLine(typeof value === 'string' ? value : JSON.stringify(value));

const ErrorSchema = z.looseObject({ stack: z.string() });

/** The lines of the stacks in the fields, and the fields without them. */
function stacksApart(fields: [string, unknown][]): { plain: [string, unknown][]; stack: string[] } {
  const stack: string[] = [];
  const plain = fields.map(([name, value]): [string, unknown] => {
    const error = ErrorSchema.safeParse(value);
    if (!error.success) return [name, value];
    const { stack: text, ...rest } = error.data;
    stack.push(...text.split('\n').map((line) => `    ${makeVisibleLine(line.trim())}`));
    return [name, rest];
  });
  return { plain, stack };
}

/** The object of a line; null for a line that is no JSON. */
function parse(line: string): Fields | null {
  if (!line.startsWith('{')) return null;
  try {
    return LineSchema.parse(JSON.parse(line));
  } catch {
    return null;
  }
}

/** One line of the log, in one or more lines of text. */
export function readableLine(line: string, deps: CommandDeps): string {
  const fields = parse(line);
  if (fields === null) return makeVisibleLine(line);
  const [timeName, time] = take(fields, TIMES);
  const [levelName, level] = take(fields, LEVELS);
  const [messageName, message] = take(fields, MESSAGES);
  const taken = new Set([timeName, levelName, messageName]);
  const others = Object.entries(fields).filter(([name, value]) => !taken.has(name) && value !== null);
  const { plain, stack } = stacksApart(others);
  const word = levelText(level);
  const style = STYLES[word as keyof typeof STYLES];
  const padded = makeVisibleLine(word).padEnd(LEVEL_WIDTH);
  const shown = style === undefined ? padded : styled(deps, style, padded);
  const rest = plain.map(([name, value]) => ` ${makeVisibleLine(name)}=${valueText(value)}`).join('');
  const head = `${timeText(time)}${shown} ${valueText(message ?? '')}${styled(deps, 'dim', rest)}`;
  return [head, ...stack].join('\n');
}
