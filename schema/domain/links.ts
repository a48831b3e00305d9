/**
 * Links: what an observation of a tab becomes, and whether a browser can deliver there. An observation of a shell page, or
 * without a conversation, becomes no link.
 */
import type { Platform } from '../contracts/common.ts';
import type { Link, LinkObservation, TargetPayload } from '../contracts/conversations.ts';
import { TARGET_KIND } from '../contracts/conversations.ts';

/** A page of a browser: an observed tab, or a page that is not open, which has no tab and no title. */
export interface Page
  extends Pick<LinkObservation, 'remote_conversation_id' | 'organization_id' | 'page_url' | 'account_fingerprint'> {
  page_title?: string | null;
  tab_id?: number | null;
  shell_page?: boolean;
}

/** Where a delivery to that page of the browser goes. */
export function targetPayload(clientId: string, page: Page): TargetPayload {
  return {
    client_id: clientId,
    conversation_id: page.remote_conversation_id,
    organization_id: page.organization_id ?? null,
    page_url: page.page_url,
    page_title: page.page_title ?? null,
    tab_id: page.tab_id ?? null,
    shell_page: page.shell_page ?? false,
    ...(page.account_fingerprint != null && { account_fingerprint: page.account_fingerprint }),
  };
}

/** The parts of a link that one observation determines. */
export type ObservedLink = Omit<
  Link,
  'link_id' | 'local_conversation_id' | 'client_id' | 'controller_id' | 'is_active'
>;

/**
 * The link of an observation. An observation from the future (a browser whose clock runs ahead) counts as made at `now`
 * (Unix milliseconds); otherwise the browser's next observations would count as older.
 */
export function observedLink(
  platform: Platform,
  clientId: string,
  seen: LinkObservation,
  now: number,
): ObservedLink | null {
  if (seen.shell_page || seen.remote_conversation_id === null) return null;
  const { remote_conversation_id, page_url, page_title, tab_id } = seen;
  const path = pathOf(page_url);
  const segments = path.split('/');
  const matched = segments.includes(remote_conversation_id);
  return {
    platform,
    remote_conversation_id,
    page_url,
    page_title,
    route_path: path,
    route_pattern: matched
      ? segments.map((part) => (part === remote_conversation_id ? ':conversation_id' : part)).join('/')
      : null,
    route_params: matched ? { conversation_id: remote_conversation_id } : {},
    target_kind: TARGET_KIND,
    target_id: `tab:${tab_id}`,
    target_payload: targetPayload(clientId, seen),
    observed_at: Math.min(seen.observed_at, now),
  };
}

function pathOf(url: string): string {
  return /^[a-z][a-z0-9+.-]*:\/\/[^/?#]*([^?#]*)/i.exec(url)?.[1] || '/';
}

/** Where a link leads: what decides whether a browser can deliver there. */
export type LinkTarget = Pick<Link, 'target_kind' | 'target_id' | 'target_payload'>;

/** Whether a browser can deliver there: a known kind of target, a real page, and a tab with a positive number. */
export function isDeliverable(link: LinkTarget): boolean {
  if (link.target_kind !== TARGET_KIND || link.target_payload.shell_page) return false;
  return tabOf(link) > 0;
}

function tabOf({ target_id, target_payload }: LinkTarget): number {
  if (target_payload.tab_id !== null && target_payload.tab_id > 0) return target_payload.tab_id;
  return Number(/^tab:(\d+)$/.exec(target_id)?.[1] ?? 0);
}
