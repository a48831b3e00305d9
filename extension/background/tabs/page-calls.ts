/** Calls of the background page to the content script of a tab. Each has a deadline. */
import type { Clock } from '../../lib/clock.ts';
import type { PageCallName, PageCalls } from '../../messages.ts';
import type { TabsApi } from './tabs-api.ts';

/** What a call may take beside the deadline in its order. */
export const CALL_MARGIN_MS = 1_000;

export interface PageCaller {
  /** @throws Error when the tab has no page of a site, or it does not respond in time. */
  call<Name extends PageCallName>(
    tabId: number,
    call: Name,
    order: PageCalls[Name]['order'],
    timeoutMs: number,
  ): Promise<PageCalls[Name]['result']>;
}

export function pageCaller(tabs: Pick<TabsApi, 'sendMessage'>, clock: Clock): PageCaller {
  return {
    call(tabId, call, order, timeoutMs) {
      return new Promise((resolve, reject) => {
        const cancel = clock.after(timeoutMs, () => reject(new Error(`the page did not respond to ${call} in time`)));
        tabs.sendMessage(tabId, { to: 'page', call, order }, { frameId: 0 }).then(
          (result) => {
            cancel();
            if (result === undefined || result === null) reject(new Error(`the page did not respond to ${call}`));
            // The content script is a part of this extension, and its handlers have these types.
            else resolve(result as PageCalls[typeof call]['result']);
          },
          (error: unknown) => {
            cancel();
            reject(error instanceof Error ? error : new Error(String(error)));
          },
        );
      });
    },
  };
}
