/**
 * The events of a run: `events.jsonl` has them as JSON, `worker.log` the same as text. The JSON is written first; what a
 * killed agent did not write into the text is added at the next start, so that both have the same events.
 */
import { join } from 'node:path';
import type { RunEvent, RunEventType } from '../../schema/contracts/run-files.ts';
import { RunEventSchema } from '../../schema/contracts/run-files.ts';
import { readOwnFile } from '../host/own-files.ts';
import { appendWhole } from './append.ts';

const LEVELS: Partial<Record<RunEventType, RunEvent['level']>> = {
  step_failed: 'error',
  step_timeout: 'error',
  step_blocked: 'warn',
  step_canceled: 'warn',
  work_started_over: 'warn',
  worker_execution_deferred: 'warn',
};

export function runEvent(
  type: RunEventType,
  at: number,
  message: string,
  data: Record<string, unknown> = {},
): RunEvent {
  return { at, type, level: LEVELS[type] ?? 'info', message, data };
}

/** One line, for a message of any content. */
export function eventLine({ at, type, level, message, data }: RunEvent): string {
  const more = Object.keys(data).length === 0 ? '' : ` ${JSON.stringify(data)}`;
  const oneLine = message.replace(/[\r\n]+/g, ' ');
  return `${new Date(at).toISOString()} ${level} ${type} ${oneLine}${more}\n`;
}

const eventsPath = (folder: string) => join(folder, 'events.jsonl');
const logPath = (folder: string) => join(folder, 'worker.log');

/** @throws the system's error on a full disk; then neither file has a part of a line */
export function appendEvent(folder: string, event: RunEvent, options: { sync?: boolean } = {}): void {
  appendWhole(eventsPath(folder), `${JSON.stringify(event)}\n`, options);
  appendWhole(logPath(folder), eventLine(event), options);
}

export function readEvents(folder: string): RunEvent[] {
  const lines = (readOwnFile(eventsPath(folder)) ?? '').split('\n').filter((line) => line !== '');
  return lines.map((line) => RunEventSchema.parse(JSON.parse(line)));
}

/** Adds to `worker.log` the events that an earlier agent wrote into `events.jsonl` only. Returns all events. */
export function completeLog(folder: string): RunEvent[] {
  const events = readEvents(folder);
  const lines = (readOwnFile(logPath(folder)) ?? '').split('\n').length - 1;
  for (const event of events.slice(lines)) appendWhole(logPath(folder), eventLine(event));
  return events;
}
