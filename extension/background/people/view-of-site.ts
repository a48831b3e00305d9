/** What the overlay of one site gets of the whole view: nothing of the conversations of another site. Pure. */
import type { Platform } from '../../../schema/contracts/common.ts';
import type { PeopleView } from '../../people-messages.ts';

/** Without a platform, the view of no site. An agent of an earlier version does not name the platform of what was done. */
export function viewOfSite(view: PeopleView, platform: Platform | null): PeopleView {
  const isHere = (one: { platform?: Platform | undefined }) => one.platform === undefined || one.platform === platform;
  const deliveries = view.deliveries.filter(isHere);
  const drift = view.drift.filter(isHere);
  if (view.snapshot === null) return { ...view, deliveries, drift };
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
    conversations: conversations.filter(isHere),
    browser: { ...browser, instruction_ingest },
  };
  return { ...view, snapshot, deliveries, drift };
}
