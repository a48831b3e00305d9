/** Why a child has to end before it has ended by itself: its time is up, or nobody wants it any more. */
export const STOP_REASONS = ['timeout', 'aborted'] as const;
export type StopReason = (typeof STOP_REASONS)[number];

/** Calls `stop` once, for the first reason that arises. Returns how to call it off. */
export function watchForStop(
  { timeoutMs, signal }: { timeoutMs: number; signal: AbortSignal },
  stop: (reason: StopReason) => void,
): () => void {
  const onAbort = () => end('aborted');
  const timer = setTimeout(() => end('timeout'), timeoutMs);
  const off = () => {
    clearTimeout(timer);
    signal.removeEventListener('abort', onAbort);
  };
  const end = (reason: StopReason) => {
    off();
    stop(reason);
  };
  if (signal.aborted) end('aborted');
  else signal.addEventListener('abort', onAbort, { once: true });
  return off;
}
