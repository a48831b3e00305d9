/** The edge's log: one JSON object per line, as Workers Logs indexes it. Never logs a token or a body. */

export type LogLevel = 'info' | 'error';

export function log(level: LogLevel, what: string, fields: Record<string, unknown>): void {
  const line = JSON.stringify({ level, what, ...fields });
  // biome-ignore lint/suspicious/noConsole: a Worker logs through the console -- here only
  (level === 'error' ? console.error : console.log)(line);
}

/** Runs a best-effort task: logs its error instead of throwing. */
export async function runBestEffort(what: string, task: () => Promise<unknown>): Promise<void> {
  try {
    await task();
  } catch (error) {
    log('error', what, { error: String(error) });
  }
}
