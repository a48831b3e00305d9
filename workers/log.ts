/** The edge's log: one JSON object a line, as Workers Logs indexes it. Never a token, never a body. */

export type LogLevel = 'info' | 'error';

export function log(level: LogLevel, what: string, fields: Record<string, unknown>): void {
  const line = JSON.stringify({ level, what, ...fields });
  // biome-ignore lint/suspicious/noConsole: the console is how a Worker writes its log -- this is the one place
  (level === 'error' ? console.error : console.log)(line);
}

/** Does what nobody waits for: its failure is logged and changes nothing. */
export async function runBestEffort(what: string, work: () => Promise<unknown>): Promise<void> {
  try {
    await work();
  } catch (error) {
    log('error', what, { error: String(error) });
  }
}
