/** Lets a page know that the message which it has sent is answered, so that the keys of that message count no more. */
import type { FinalMessage } from '../../../schema/contracts/bridge-frames.ts';
import type { TrafficEvent } from '../traffic.ts';
import type { PageCaller } from './page-calls.ts';

const CALL_MS = 5_000;
const MAX_TABS = 500;

export interface AnsweredSendsDeps {
  traffic: { on(listener: (event: TrafficEvent) => void): () => void };
  /** Final messages of the assistant. */
  finals: { on(listener: (message: FinalMessage) => void): () => void };
  pages: PageCaller;
}

export function reportAnsweredSends({ traffic, finals, pages }: AnsweredSendsDeps): void {
  /** The newest message that each tab has sent. */
  const sent = new Map<number, string>();
  traffic.on((event) => {
    if (event.type !== 'send' || event.tabId < 0 || event.send.kind !== 'message') return;
    sent.delete(event.tabId);
    if (event.send.text === null) return;
    sent.set(event.tabId, event.send.text);
    const [oldest] = sent.keys();
    if (sent.size > MAX_TABS && oldest !== undefined) sent.delete(oldest);
  });
  finals.on(({ tab_id: tabId }) => {
    const text = sent.get(tabId);
    if (text === undefined) return;
    sent.delete(tabId);
    // Without a page no one types.
    pages.call(tabId, 'answered', { text }, CALL_MS).catch(() => undefined);
  });
}
