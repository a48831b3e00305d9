/** One JSON line per problem that an object survives, for Workers Logs. */
export function logProblem(what: string, error: unknown): void {
  const reason = error instanceof Error ? (error.stack ?? error.message) : String(error);
  // biome-ignore lint/suspicious/noConsole: Workers Logs are the console's lines
  console.error(JSON.stringify({ level: 'error', what, reason }));
}
