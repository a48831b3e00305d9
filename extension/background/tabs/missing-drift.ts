/**
 * Reports what no selector finds in a page: its composer, and the answer that the site has sent to it. A page gets time to
 * draw both; one that asks to sign in, or shows an obstacle, need not have them.
 */
import type { Platform } from '../../../schema/contracts/common.ts';
import type { Clock } from '../../lib/clock.ts';
import type { PageLook } from '../../messages.ts';
import type { TrafficEvent } from '../traffic.ts';

/** How long a page gets to draw. */
const DRAWN_AFTER_MS = 15_000;
const MAX_TABS = 50;

export interface MissingDriftDeps {
  looks: { on(listener: (seen: { tabId: number; look: PageLook }) => void): () => void };
  traffic: { on(listener: (event: TrafficEvent) => void): () => void };
  platformOf(url: string): Platform | null;
  /** What a tab shows now; rejects when its page does not respond. */
  look(tabId: number): Promise<PageLook>;
  clock: Pick<Clock, 'after'>;
  report(platform: Platform, what: string): void;
}

/** A page in which a person could write, without anything to write in. */
function lacksComposer({ address, composer, obstacle, login }: PageLook): boolean {
  const isChat = address.kind === 'conversation' || address.kind === 'new';
  return isChat && composer === 'missing' && obstacle === null && login?.login !== 'lost';
}

function lacksAnswer({ address, lastAnswer, obstacle }: PageLook, conversationId: string): boolean {
  return address.conversationId === conversationId && lastAnswer === null && obstacle === null;
}

export function reportMissingDrift({ looks, traffic, platformOf, look, clock, report }: MissingDriftDeps): void {
  /** Tabs that are looked at later, or whose drift was reported. */
  const withoutComposer = new Set<number>();
  const withoutAnswer = new Set<number>();
  const later = (tabId: number, judge: (seen: PageLook) => void) => {
    // A page that is gone lacks nothing.
    clock.after(DRAWN_AFTER_MS, () => void look(tabId).then(judge, () => undefined));
  };

  looks.on(({ tabId, look: seen }) => {
    if (!lacksComposer(seen)) {
      withoutComposer.delete(tabId);
      return;
    }
    if (withoutComposer.has(tabId) || withoutComposer.size >= MAX_TABS) return;
    withoutComposer.add(tabId);
    later(tabId, (now) => {
      const platform = platformOf(now.url);
      if (!withoutComposer.has(tabId) || platform === null || !lacksComposer(now)) withoutComposer.delete(tabId);
      else report(platform, 'drift: page: composer: no selector matched');
    });
  });

  traffic.on(({ tabId, platform, ...event }) => {
    if (event.type !== 'decoded' || event.event.type !== 'final' || tabId < 0) return;
    const { conversationId } = event.event.answer;
    if (conversationId === null || withoutAnswer.has(tabId) || withoutAnswer.size >= MAX_TABS) return;
    withoutAnswer.add(tabId);
    clock.after(DRAWN_AFTER_MS, () => withoutAnswer.delete(tabId));
    later(tabId, (now) => {
      if (lacksAnswer(now, conversationId)) report(platform, 'drift: page: answers: no selector matched');
    });
  });
}
