/** Which of a conversation's links a renewal goes by. */
import { linkStopped } from '../../schema/domain/client-stops.ts';
import type { LinkUnusable } from '../../schema/domain/renewal.ts';
import type { Reach } from '../nodes/presence.ts';
import type { DueLink } from './due-jobs.ts';

/**
 * The newest link of a browser that is not stopped, on a connected node, or else on one that still asks for its
 * commands. `unusable` says why nothing can be sent by the link: then by no other either. A node that is away is sent
 * nothing, since what becomes of that could not be known.
 */
export function chooseLink(
  links: readonly DueLink[],
  reach: (nodeId: string) => Reach,
): { link: DueLink | null; unusable: LinkUnusable | null } {
  const usable = links.filter((link) => linkStopped(link) === null);
  const on = (wanted: Reach) => usable.filter((link) => reach(link.controller_id) === wanted);
  const connected = on('connected');
  const there = connected.find((one) => one.client?.connected !== false) ?? connected[0] ?? on('in_contact')[0];
  if (there !== undefined) return { link: there, unusable: null };
  const [away] = usable;
  if (away !== undefined) return { link: away, unusable: 'node_unreachable' };
  const [stopped] = links;
  return stopped === undefined ? { link: null, unusable: null } : { link: stopped, unusable: linkStopped(stopped) };
}
