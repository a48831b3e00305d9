/** Which of a conversation's links a renewal goes by. */
import type { StopReason } from '../../schema/contracts/clients.ts';
import { linkStopped } from '../../schema/domain/client-stops.ts';
import type { DueLink } from './due-jobs.ts';

/**
 * The newest link of a browser that is not stopped, on a connected node if there is one: otherwise its node finds the
 * command when it comes back in time. `stopped` says why the link may not be used: then no other may.
 */
export function chooseLink(
  links: readonly DueLink[],
  connected: ReadonlySet<string>,
): { link: DueLink | null; stopped: StopReason | null } {
  const usable = links.filter((link) => linkStopped(link) === null);
  const there = usable.filter((link) => connected.has(link.controller_id));
  const link = there.find((one) => one.client?.connected !== false) ?? there[0] ?? usable[0] ?? links[0] ?? null;
  return { link, stopped: link === null ? null : linkStopped(link) };
}
