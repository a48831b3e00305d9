/**
 * The edge's log: one JSON object per line, as Workers Logs indexes it. Never logs a token or a body. A text is cut, so
 * that no caller decides how long a line is.
 */
import { LOG_TEXT_MAX_CHARS } from '../schema/defaults.ts';
import { cutText } from '../schema/domain/cut-text.ts';

export type LogLevel = 'info' | 'error';

export function log(level: LogLevel, what: string, fields: Record<string, unknown>): void {
  const line = JSON.stringify({ level, what, ...fields }, cutTexts);
  // biome-ignore lint/suspicious/noConsole: a Worker logs through the console -- here only
  (level === 'error' ? console.error : console.log)(line);
}

function cutTexts(_key: string, value: unknown): unknown {
  return typeof value === 'string' ? cutText(value, LOG_TEXT_MAX_CHARS) : value;
}

/** Runs a best-effort task: logs its error instead of throwing. */
export async function runBestEffort(what: string, task: () => Promise<unknown>): Promise<void> {
  try {
    await task();
  } catch (error) {
    log('error', what, { error: String(error) });
  }
}
