/** What the overlay of one site gets of the whole view: nothing of the conversations of another site. Pure. */
import type { BridgeSnapshot } from '../../../schema/contracts/bridge-frames.ts';
import type { Platform } from '../../../schema/contracts/common.ts';
import { needsPerson } from '../../overlay/describe-lines.ts';
import type { PeopleView } from '../../people-messages.ts';

/** Without a platform, the view of no site. An agent of an earlier version does not name the platform of what was done. */
export function viewOfSite(view: PeopleView, platform: Platform | null): PeopleView {
  const isHere = (one: { platform?: Platform | undefined }) => one.platform === undefined || one.platform === platform;
  const deliveries = view.deliveries.filter(isHere);
  const drift = view.drift.filter(isHere);
  const helped = view.helped.filter(isHere);
  const lines = view.lines.filter((one) => one.platform === platform && needsPerson(one));
  const here = { ...view, deliveries, drift, helped, lines };
  if (view.snapshot === null) return here;
  const { conversations, browser } = view.snapshot;
  const recent_ingests = browser.instruction_ingest.recent_ingests.filter(isHere);
  const recent_executes = browser.instruction_ingest.recent_executes.filter(isHere);
  const instruction_ingest = {
    last_ingest: recent_ingests[0] ?? null,
    last_execute: recent_executes[0] ?? null,
    recent_ingests,
    recent_executes,
  };
  const snapshot = {
    ...view.snapshot,
    ...approvalsOfSite(view.snapshot, platform),
    conversations: conversations.filter(isHere),
    browser: { ...browser, instruction_ingest },
  };
  return { ...here, snapshot };
}

/**
 * An edge or an agent of an earlier version does not name the platform of an approval. Then an open conversation says it;
 * one of which that is unknown is shown on every site, since an approval that no overlay shows would be missed.
 */
function approvalsOfSite(
  { approvals, approvals_waiting, conversations }: BridgeSnapshot,
  platform: Platform | null,
): Pick<BridgeSnapshot, 'approvals' | 'approvals_waiting'> {
  const platforms = new Map(conversations.map((one) => [one.local_conversation_id, one.platform]));
  const isOfOtherSite = (one: (typeof approvals)[number]) => {
    const of = one.platform ?? platforms.get(one.local_conversation_id);
    return of !== undefined && of !== platform;
  };
  const here = approvals.filter((one) => !isOfOtherSite(one));
  return { approvals: here, approvals_waiting: approvals_waiting - (approvals.length - here.length) };
}
