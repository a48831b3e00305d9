/** Reasons for stopping a child process: the time limit, or an abort signal. */
export const STOP_REASONS = ['timeout', 'aborted'] as const;
export type StopReason = (typeof STOP_REASONS)[number];

/** Calls `stop` once, with the first reason that occurs. Returns a function that cancels the watch. */
export function watchForStop(
  { timeoutMs, signal }: { timeoutMs: number; signal: AbortSignal },
  stop: (reason: StopReason) => void,
): () => void {
  const onAbort = () => end('aborted');
  const timer = setTimeout(() => end('timeout'), timeoutMs);
  const cancel = () => {
    clearTimeout(timer);
    signal.removeEventListener('abort', onAbort);
  };
  const end = (reason: StopReason) => {
    cancel();
    stop(reason);
  };
  if (signal.aborted) end('aborted');
  else signal.addEventListener('abort', onAbort, { once: true });
  return cancel;
}
