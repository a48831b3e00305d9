/** Checks of what a node sends: size, rate and shape. The hub responds to what is wrong. */
import type { AgentFrame } from '../../schema/contracts/channel-frames.ts';
import { AgentFrameSchema, CLOSE } from '../../schema/contracts/channel-frames.ts';
import { CHANNEL } from '../../schema/defaults.ts';
import type { ErrorCode } from '../../schema/errors.ts';
import { readJson } from '../../schema/json-text.ts';

export type FrameRead =
  | { status: 'ok'; frame: AgentFrame }
  /** The hub responds with `error {re, code}`, and closes the socket when there is a close code. */
  | { status: 'bad'; re: string | null; code: ErrorCode; close: number | null };

/** Whether the text is longer than `maxBytes` in UTF-8. It is encoded only when its length does not decide. */
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
  if (typeof message !== 'string') return badFrame(null);
  const read = readJson(message);
  if (!read.ok) return badFrame(null);
  const parsed = AgentFrameSchema.safeParse(read.value);
  return parsed.success ? { status: 'ok', frame: parsed.data } : badFrame(typeNamed(read.value));
}

function badFrame(re: string | null): FrameRead {
  return { status: 'bad', re, code: 'invalid_request', close: null };
}

const MAX_TYPE_CHARS = 64;
function typeNamed(value: unknown): string | null {
  if (typeof value !== 'object' || value === null || !('type' in value) || typeof value.type !== 'string') return null;
  return value.type.slice(0, MAX_TYPE_CHARS);
}

/** The number of frames of one socket in the second that began at `since`. */
export interface FrameRate {
  since: number;
  count: number;
}

const SECOND_MS = 1_000;

/** Counts one more frame at `now`. `tooFast`: it exceeds the limit of its second. */
export function countFrame(rate: FrameRate | undefined, now: number): { next: FrameRate; tooFast: boolean } {
  const sameSecond = rate !== undefined && now - rate.since < SECOND_MS;
  const next = sameSecond ? { since: rate.since, count: rate.count + 1 } : { since: now, count: 1 };
  return { next, tooFast: next.count > CHANNEL.max_frames_per_sec };
}
