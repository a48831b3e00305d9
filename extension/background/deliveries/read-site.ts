/** Reads a conversation from its site through the content script of a tab. */
import type { SiteReading } from '../../sites/facts.ts';
import type { Site } from '../../sites/site.ts';
import type { CallPage } from './deps.ts';

/** Null when the site did not give this conversation, or in a shape that is not known. */
export async function readSite(
  call: CallPage,
  site: Site,
  tabId: number,
  conversationId: string,
  timeoutMs: number,
): Promise<SiteReading | null> {
  const outcome = await call(tabId, 'read', { conversationId, timeoutMs });
  if (outcome.kind === 'failed' || outcome.isChallenge || outcome.status < 200 || outcome.status > 299) return null;
  const reading = site.wire.readReading(outcome.body);
  return reading?.conversationId === conversationId ? reading : null;
}
