/** The one choice among the links of a conversation: which one a renewal is delivered by. */
import { linkStopped } from '../../schema/domain/client-stops.ts';
import { isDeliverable } from '../../schema/domain/links.ts';
import type { LinkUnusable } from '../../schema/domain/renewal.ts';
import type { Reach } from '../nodes/presence.ts';
import type { RenewalLink } from './link-reads.ts';

export interface ChosenLink {
  /** Null without any link. It is not deliverable only when no link of the conversation is. */
  link: RenewalLink | null;
  /** Why nothing can be sent by that link now. Then no other link of the conversation can be used either. */
  unusable: LinkUnusable | null;
}

/**
 * Of the links (newest first) that can be delivered to and whose browser is not stopped, the newest on a connected node,
 * with a connected browser if there is one; else the newest on a node that polls. A link by which a delivery has just
 * failed is used only when there is no other. A node that is away is sent nothing, because the outcome could not be known. Whether the chosen link is deliverable depends on the links alone, not on
 * presence or stops: so what the projector decided by it changes only when a browser reports a link.
 */
export function chooseLink(links: readonly RenewalLink[], reach: (nodeId: string) => Reach): ChosenLink {
  const deliverable = links.filter(isDeliverable);
  const [newest] = deliverable;
  if (newest === undefined) return { link: links[0] ?? null, unusable: null };
  const running = deliverable.filter((link) => linkStopped(link) === null);
  const [away] = running;
  if (away === undefined) return { link: newest, unusable: linkStopped(newest) };
  const untried = running.some((link) => link.failed_at !== null) ? running.filter(isUntried) : [];
  const reachable = newestReachable(untried, reach) ?? newestReachable(running, reach);
  return reachable === undefined ? { link: away, unusable: 'node_unreachable' } : { link: reachable, unusable: null };
}

/** No delivery by it has failed since it was seen, and its browser is there. */
function isUntried({ failed_at, client }: RenewalLink): boolean {
  return failed_at === null && client?.connected !== false;
}

function newestReachable(links: readonly RenewalLink[], reach: (nodeId: string) => Reach): RenewalLink | undefined {
  const connected = links.filter((link) => reach(link.controller_id) === 'connected');
  return (
    connected.find((link) => link.client?.connected !== false) ??
    connected[0] ??
    links.find((link) => reach(link.controller_id) === 'in_contact')
  );
}
