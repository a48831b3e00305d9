/**
 * What a browser's `action_result` proves. Success needs evidence (the platform's own 2xx, or the message seen in the
 * page); what was or may have been sent without evidence is `uncertain` and is never sent again blindly; only what
 * certainly was not taken is `failed` or `deferred`.
 */
import type { ActionResult } from '../../schema/contracts/bridge-frames.ts';
import type { StopReason } from '../../schema/contracts/clients.ts';
import type { DeliveryResult } from '../../schema/contracts/renewal.ts';
import { asStopReason } from '../../schema/domain/client-stops.ts';
import type { Verdict } from './policy.ts';

/** A result, what it says of the platform, and whether the browser refused before anything was sent. */
export interface Ended {
  result: DeliveryResult;
  verdict: Verdict;
  refused: boolean;
  /** The client must not go on there until a person has looked. */
  stops: StopReason | null;
}

/** The platform knows who is asking and refuses, after the extension has tried by request and by page. */
const SIGNED_OUT_STATUSES: readonly number[] = [401, 403];

function stopOf(frame: ActionResult, status: number | null): StopReason | null {
  const named = asStopReason(frame.reason);
  if (named !== null) return named;
  return frame.failed && status !== null && SIGNED_OUT_STATUSES.includes(status) ? 'signed_out' : null;
}

function statusOf(frame: ActionResult): number | null {
  const status = frame.downstream?.http_status ?? null;
  return status !== null && status >= 100 && status <= 599 ? status : null;
}

function withEvidence(frame: ActionResult, status: number | null): Ended {
  const seen = frame.downstream?.seen_in_page === true || (status !== null && status >= 200 && status < 300);
  return seen ? ended(frame, 'delivered', 'success', null) : ended(frame, 'uncertain', 'failure', 'no_evidence');
}

function ended(
  frame: ActionResult,
  outcome: DeliveryResult['outcome'],
  verdict: Verdict,
  reason: string | null,
): Ended {
  const http_status = statusOf(frame);
  return {
    result: {
      outcome,
      reason: frame.reason ?? reason,
      method: frame.downstream?.method ?? null,
      http_status,
      retry_after_ms: frame.retry_after_ms ?? null,
    },
    verdict,
    refused: false,
    stops: stopOf(frame, http_status),
  };
}

/** What the browser's answer means; null while the action has been accepted and has not ended. */
export function readActionResult(frame: ActionResult): Ended | null {
  if (!frame.accepted) {
    const deferred = frame.retry_after_ms != null;
    return { ...ended(frame, deferred ? 'deferred' : 'failed', 'neutral', 'refused'), refused: true };
  }
  if (!frame.completed) return null;
  const status = statusOf(frame);
  if (!frame.failed) return withEvidence(frame, status);
  if (frame.downstream != null && (status === null || status < 300)) {
    return ended(frame, 'uncertain', 'failure', 'no_evidence');
  }
  return ended(frame, 'failed', 'failure', 'failed');
}

/** An end without an answer of the browser: `reason` says which. */
export function unanswered(reason: string, verdict: Verdict): Ended {
  return { result: { outcome: 'uncertain', reason, method: null }, verdict, refused: false, stops: null };
}

/** Never handed to the browser. */
export function notSent(reason: string, retryAfterMs: number | null): Ended {
  const outcome = retryAfterMs === null ? 'failed' : 'deferred';
  const result = { outcome, reason, method: null, retry_after_ms: retryAfterMs } as const;
  return { result, verdict: 'neutral', refused: true, stops: null };
}
