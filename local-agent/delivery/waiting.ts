/** What a browser's deliveries wait for, for a person. Pure apart from reading the queue. */

import type { z } from 'zod';
import type { PaceSchema, WaitingDelivery } from '../../schema/contracts/bridge-frames.ts';
import type { Platform } from '../../schema/contracts/common.ts';
import type { ChoiceView } from './choose.ts';
import { deliveryBlock, slotBlock } from './choose.ts';
import type { Deliveries } from './deliveries.ts';
import type { DeliveriesInFlight } from './in-flight.ts';

/** Deliveries of one browser that are looked at. */
const MAX_LISTED = 200;

export interface ConversationWait extends WaitingDelivery {
  platform: Platform;
  conversation_id: string | null;
}
export type Pace = z.infer<typeof PaceSchema>;

export interface WaitSources {
  deliveries: Deliveries;
  inFlight: DeliveriesInFlight;
  view: ChoiceView;
}

/** The deliveries of a browser that have not ended: those under way first, then replies before others by deadline. */
export function waitingOf({ deliveries, inFlight, view }: WaitSources, clientId: string, now: number) {
  const sending = inFlight.byClient(clientId).map(({ row }): ConversationWait => {
    const { kind, platform, conversation_id, attempt } = row;
    return { kind, platform, conversation_id, attempt, reason: 'sending', until: null };
  });
  const queued = deliveries.queuedOf(clientId, MAX_LISTED).map((row): ConversationWait => {
    const { kind, platform, conversation_id, attempt } = row;
    const block = deliveryBlock(row, view, now);
    return { kind, platform, conversation_id, attempt, reason: block?.reason ?? 'next', until: block?.until ?? null };
  });
  const rank = ({ kind }: ConversationWait) => (kind === 'reply' ? 0 : 1);
  return [...sending, ...queued.sort((a, b) => rank(a) - rank(b))];
}

/** The pace of a browser on each of the platforms. */
export function pacesOf(sources: WaitSources, clientId: string, platforms: readonly Platform[], now: number): Pace[] {
  const { deliveries, view } = sources;
  const counts = deliveries.queuedCounts();
  return platforms.map((platform) => {
    const block = slotBlock({ client_id: clientId, platform }, view, now);
    const slot = view.slot(clientId, platform);
    const queued = counts.find((one) => one.client_id === clientId && one.platform === platform)?.n ?? 0;
    return {
      platform,
      reason: block?.reason ?? null,
      until: block?.until ?? null,
      queued,
      in_flight: slot.in_flight.length,
      stopped_reason: slot.stopped?.reason ?? null,
    };
  });
}
