/** How a delivery ended, and the frame that says so. */
import type { ActionParts } from '../../../schema/contracts/action-parts.ts';
import type { ActionResult } from '../../../schema/contracts/bridge-frames.ts';

/**
 * - `delivered`: the site has taken the message.
 * - `failed`: it certainly has not.
 * - `refused`: nothing was typed, or it was removed again; a person or another plan has to come first.
 * - `deferred`: the same, and the same plan may be tried again after `retryAfterMs`.
 * - `uncertain`: send was pressed, and nothing shows what became of it.
 */
export interface End {
  outcome: 'delivered' | 'failed' | 'refused' | 'deferred' | 'uncertain';
  reason: string | null;
  httpStatus: number | null;
  retryAfterMs: number | null;
  seenInPage: boolean;
  durationMs: number;
}

type Details = Partial<Omit<End, 'outcome' | 'reason'>>;

/** As storage and the contract take a wait: a site may name one that is no whole number, or none at all. */
function wholeMs(value: number | null): number | null {
  return value === null || !Number.isFinite(value) ? null : Math.max(0, Math.round(value));
}

export function endOf(outcome: End['outcome'], reason: string | null, details: Details = {}): End {
  const { retryAfterMs = null } = details;
  const end = { outcome, reason, httpStatus: null, seenInPage: false, durationMs: 0, ...details };
  return { ...end, retryAfterMs: wholeMs(retryAfterMs) };
}

/** What the agent must know of a delivery to read its result. */
export interface ResultOf {
  clientId: string;
  connectionId: string | null;
  platform: string;
  tabId: number | null;
  /** What was found on the way, such as the conversation that the message began. */
  found: Record<string, unknown>;
  /** Of the tabs that it used and passed over. */
  parts: Required<ActionParts>;
}

/**
 * The agent takes a failed result with `downstream` and a status below 300 as uncertain, so a failure of which nothing
 * arrived has no `downstream` unless the site refused it by a status.
 */
function downstream(end: End): ActionResult['downstream'] {
  const { outcome, httpStatus, seenInPage, durationMs } = end;
  const isNamed = outcome === 'delivered' || outcome === 'uncertain' || (httpStatus !== null && httpStatus >= 300);
  if (!isNamed || outcome === 'refused' || outcome === 'deferred') return null;
  return { method: 'dom', http_status: httpStatus, seen_in_page: seenInPage, duration_ms: Math.max(0, durationMs) };
}

export function actionResult(requestId: string, end: End, of: ResultOf, receivedAt: number): ActionResult {
  const { outcome, reason, retryAfterMs } = end;
  const isDelivered = outcome === 'delivered';
  const { clientId, connectionId, platform, tabId, found, parts } = of;
  return {
    type: 'browser.action_result',
    request_id: requestId,
    action: 'browser.proxy_delivery',
    accepted: outcome !== 'refused' && outcome !== 'deferred',
    completed: true,
    failed: !isDelivered,
    reason,
    received_at: receivedAt,
    retry_after_ms: outcome === 'refused' ? null : retryAfterMs,
    downstream: downstream(end),
    target: {
      client_id: clientId,
      connection_id: connectionId,
      platform,
      requested_client_id: clientId,
      requested_platform: platform,
      tab_id: tabId,
    },
    ...parts,
    result: { ...parts.result, ...found },
  };
}
