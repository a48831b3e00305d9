/**
 * Waiting in a page. A hidden tab may run its timers once a second or less, so nothing here depends on a short one: a turn
 * is given by a message channel, and a condition is checked at each change of the document. Timers only end a wait.
 */

/** Lets the page work off what it was just given, such as an editor its changed document. */
export function nextTurn(): Promise<void> {
  return new Promise((resolve) => {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => {
      port1.close();
      resolve();
    };
    port2.postMessage(null);
  });
}

const RECHECK_MS = 500;

/** The first value that is not null, or null when the time is over or the signal aborts. */
export function firstValue<T>(
  document: Document,
  read: () => T | null,
  timeoutMs: number,
  signal: AbortSignal,
): Promise<T | null> {
  const now = signal.aborted ? null : read();
  if (now !== null || signal.aborted) return Promise.resolve(now);
  return new Promise((resolve) => {
    let isChecking = false;
    const finish = (value: T | null): void => {
      observer.disconnect();
      clearInterval(interval);
      clearTimeout(timeout);
      signal.removeEventListener('abort', abort);
      resolve(value);
    };
    const abort = (): void => finish(null);
    const check = (): void => {
      isChecking = false;
      const value = signal.aborted ? null : read();
      if (value !== null) finish(value);
    };
    const observer = new MutationObserver(() => {
      if (isChecking) return;
      isChecking = true;
      void nextTurn().then(check);
    });
    observer.observe(document, { subtree: true, childList: true, attributes: true });
    const interval = setInterval(check, RECHECK_MS);
    const timeout = setTimeout(() => finish(null), timeoutMs);
    signal.addEventListener('abort', abort);
  });
}
