/**
 * What a browser's `action_result` proves. Success needs evidence (the platform's own 2xx, or the message seen in the
 * page); a message that was or may have been sent without evidence is `uncertain` and never leaves under another plan;
 * only one that certainly was not taken is `failed` or `deferred`.
 */
import type { ActionResult } from '../../schema/contracts/bridge-frames.ts';
import type { StopReason } from '../../schema/contracts/clients.ts';
import type { DeliveryResult } from '../../schema/contracts/renewal.ts';
import { asStopReason, stopReasonOf } from '../../schema/domain/client-stops.ts';
import type { CountsAs, PagesFound } from './policy.ts';

/** The end of one attempt. */
export interface AttemptEnd {
  result: DeliveryResult;
  countsAs: CountsAs;
  /** Nothing was sent: the browser refused before, or was never asked. */
  refused: boolean;
  /** Who says so; `none`: the browser was asked, and its result has not come. */
  saidBy: 'browser' | 'search' | 'none';
  /** Why the browser may not deliver there until a person resumes it; null: it may. */
  stops: StopReason | null;
  /** What the browser found of its tabs and their pages; null where it used none, or does not say. */
  pages: PagesFound | null;
}

function httpStatus(frame: ActionResult): number | null {
  const status = frame.downstream?.http_status ?? null;
  return status !== null && status >= 100 && status <= 599 ? status : null;
}

/** The status counts only after the browser has failed, when it has tried by request and by page. */
function stopReason(frame: ActionResult, http_status: number | null): StopReason | null {
  const { failed, reason } = frame;
  return failed ? stopReasonOf({ reason, http_status }) : asStopReason(reason);
}

function pagesFound({ result, shell_runtime = [] }: ActionResult): PagesFound | null {
  if (result === undefined || !result.actual_count) return null;
  const drift = new Set(shell_runtime.flatMap((page) => page.drift));
  return {
    drift: [...drift],
    restored: result.restored_count ?? 0,
    skipped: result.skipped_reasons ?? [],
  };
}

/** `reason` counts where the browser gives none. */
function attemptEnd(
  frame: ActionResult,
  outcome: DeliveryResult['outcome'],
  countsAs: CountsAs,
  reason: string | null,
): AttemptEnd {
  const http_status = httpStatus(frame);
  const result: DeliveryResult = {
    outcome,
    reason: frame.reason ?? reason,
    method: frame.downstream?.method ?? null,
    http_status,
    retry_after_ms: frame.retry_after_ms ?? null,
  };
  const pages = pagesFound(frame);
  return { result, countsAs, refused: false, saidBy: 'browser', stops: stopReason(frame, http_status), pages };
}

/** The end that a browser's result says; null while the action is accepted and under way. */
export function readActionResult(frame: ActionResult): AttemptEnd | null {
  if (!frame.accepted) {
    const outcome = frame.retry_after_ms != null ? 'deferred' : 'failed';
    return { ...attemptEnd(frame, outcome, 'neutral', 'refused'), refused: true };
  }
  if (!frame.completed) return null;
  const status = httpStatus(frame);
  if (!frame.failed) {
    const isProved = frame.downstream?.seen_in_page === true || (status !== null && status >= 200 && status < 300);
    if (isProved) return attemptEnd(frame, 'delivered', 'success', null);
    return attemptEnd(frame, 'uncertain', 'failure', 'no_evidence');
  }
  if (frame.downstream != null && (status === null || status < 300)) {
    return attemptEnd(frame, 'uncertain', 'failure', 'no_evidence');
  }
  return attemptEnd(frame, 'failed', 'failure', 'failed');
}

const UNSAID = { refused: false, stops: null, pages: null } as const;

/** The browser was asked and gave no result; `reason` says why none will come. */
export function withoutResult(reason: string, countsAs: CountsAs): AttemptEnd {
  return { ...UNSAID, result: { outcome: 'uncertain', reason, method: null }, countsAs, saidBy: 'none' };
}

/** What a search of the conversation has shown. */
export function searched(result: DeliveryResult): AttemptEnd {
  return { ...UNSAID, result, countsAs: 'neutral', saidBy: 'search' };
}

/** The browser was not asked. */
export function notSent(reason: string, retryAfterMs: number | null): AttemptEnd {
  const outcome = retryAfterMs === null ? 'failed' : 'deferred';
  const result = { outcome, reason, method: null, retry_after_ms: retryAfterMs } as const;
  return { ...UNSAID, result, countsAs: 'neutral', refused: true, saidBy: 'browser' };
}
