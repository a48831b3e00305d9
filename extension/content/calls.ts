/** Calls of the background page, handled in the page. */
import type { PageCall, PageCallName, PageCalls } from '../messages.ts';

export type PageHandlers = {
  [Name in PageCallName]: (order: PageCalls[Name]['order']) => Promise<PageCalls[Name]['result']>;
};

function isCall(message: unknown): message is PageCall {
  return (
    typeof message === 'object' &&
    message !== null &&
    'to' in message &&
    message.to === 'page' &&
    'call' in message &&
    typeof message.call === 'string'
  );
}

/**
 * Returns the listener of `runtime.onMessage`: the promise of the result for a call that has a handler, `undefined` for
 * every other message. Only this extension can send a message to its content scripts.
 */
export function callListener(handlers: Partial<PageHandlers>): (message: unknown) => Promise<unknown> | undefined {
  return (message) => {
    if (!isCall(message) || !Object.hasOwn(handlers, message.call)) return undefined;
    const handle = handlers[message.call] as ((order: unknown) => Promise<unknown>) | undefined;
    return handle?.(message.order);
  };
}
