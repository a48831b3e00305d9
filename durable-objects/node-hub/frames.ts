/** Reading what a node sends: its size, its rate, its shape. Pure; the hub answers what is wrong. */
import type { AgentFrame } from '../../schema/contracts/channel-frames.ts';
import { AgentFrameSchema, CLOSE } from '../../schema/contracts/channel-frames.ts';
import { CHANNEL } from '../../schema/defaults.ts';
import type { ErrorCode } from '../../schema/errors.ts';

export type FrameRead =
  | { status: 'ok'; frame: AgentFrame }
  /** Answered with `error {re, code}`; the socket stays unless there is a close code. */
  | { status: 'bad'; re: string | null; code: ErrorCode; close: number | null };

/** Whether the text is longer than that in UTF-8, without encoding it when its length already tells. */
function exceedsBytes(text: string, maxBytes: number): boolean {
  if (text.length > maxBytes) return true;
  return text.length * 3 > maxBytes && new TextEncoder().encode(text).byteLength > maxBytes;
}

export function readAgentFrame(message: string | ArrayBuffer): FrameRead {
  const tooBig =
    typeof message === 'string'
      ? exceedsBytes(message, CHANNEL.max_frame_bytes)
      : message.byteLength > CHANNEL.max_frame_bytes;
  if (tooBig) return { status: 'bad', re: null, code: 'payload_too_large', close: CLOSE.too_big };
  if (typeof message !== 'string') return bad(null);
  let value: unknown;
  try {
    value = JSON.parse(message);
  } catch {
    return bad(null);
  }
  const parsed = AgentFrameSchema.safeParse(value);
  return parsed.success ? { status: 'ok', frame: parsed.data } : bad(typeNamed(value));
}

function bad(re: string | null): FrameRead {
  return { status: 'bad', re, code: 'invalid_request', close: null };
}

const MAX_TYPE_CHARS = 64;
function typeNamed(value: unknown): string | null {
  if (typeof value !== 'object' || value === null || !('type' in value) || typeof value.type !== 'string') return null;
  return value.type.slice(0, MAX_TYPE_CHARS);
}

/** Frames of one socket in the second that began with `since`. */
export interface FrameRate {
  since: number;
  count: number;
}

const SECOND_MS = 1_000;

/** Counts one more frame at `now`; `tooFast` when it is over the limit of its second. */
export function countFrame(rate: FrameRate | undefined, now: number): { next: FrameRate; tooFast: boolean } {
  const sameSecond = rate !== undefined && now - rate.since < SECOND_MS;
  const next = sameSecond ? { since: rate.since, count: rate.count + 1 } : { since: now, count: 1 };
  return { next, tooFast: next.count > CHANNEL.max_frames_per_sec };
}
