import { LOG_TEXT_MAX_CHARS } from '../../schema/defaults.ts';
import { cutText } from '../../schema/domain/cut-text.ts';

/** Writes one JSON line to Workers Logs about a problem that the object survives. */
export function logProblem(what: string, error: unknown): void {
  const reason = error instanceof Error ? (error.stack ?? error.message) : String(error);
  // biome-ignore lint/suspicious/noConsole: Workers Logs are the console's lines
  console.error(JSON.stringify({ level: 'error', what, reason: cutText(reason, LOG_TEXT_MAX_CHARS) }));
}
