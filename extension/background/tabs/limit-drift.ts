/**
 * Compares what a site's responses say of a limit with what its page shows: how the pages show one is partly a guess, and a
 * guess that does not match is reported as drift. What is sent does not depend on it: the response itself counts.
 */
import type { Clock } from '../../lib/clock.ts';
import type { PageLook } from '../../messages.ts';
import type { TrafficEvent } from '../traffic.ts';

/** How long a page gets to show its notice. */
const SHOWN_AFTER_MS = 5_000;
const MAX_TABS = 50;

export interface LimitDriftDeps {
  traffic: { on(listener: (event: TrafficEvent) => void): () => void };
  /** What a tab shows now; rejects when its page does not respond. */
  look(tabId: number): Promise<PageLook>;
  clock: Pick<Clock, 'after'>;
  report(platform: TrafficEvent['platform'], what: string): void;
}

export function reportLimitDrift({ traffic, look, clock, report }: LimitDriftDeps): void {
  const pending = new Set<number>();
  traffic.on(({ tabId, platform, ...event }) => {
    const isLimit = event.type === 'decoded' && event.event.type === 'limit';
    if (!isLimit || tabId < 0 || pending.has(tabId) || pending.size >= MAX_TABS) return;
    pending.add(tabId);
    clock.after(SHOWN_AFTER_MS, () => {
      pending.delete(tabId);
      look(tabId).then(
        ({ obstacle }) => {
          if (obstacle?.kind !== 'limit') report(platform, 'drift: page: the notice of a limit was not found');
        },
        // A page that is gone shows nothing.
        () => undefined,
      );
    });
  });
}
