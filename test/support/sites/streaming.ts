/** How a fake site writes a body: at once, in small pieces over time, or only a part of it. */
import type { ServerResponse } from 'node:http';
import { setTimeout } from 'node:timers/promises';

export interface Pace {
  /** Bytes of each piece. One byte splits every character of more than one byte. */
  pieceBytes: number;
  /** The time between two pieces. */
  everyMs: number;
}

/** Pieces of that many bytes, also where that cuts a character. */
export function pieces(body: Uint8Array, pieceBytes: number): Uint8Array[] {
  const count = Math.ceil(body.length / pieceBytes);
  return Array.from({ length: count }, (_, index) => body.subarray(index * pieceBytes, (index + 1) * pieceBytes));
}

/** Writes without ending the body. It returns early when the page has gone. */
export async function writeSlowly(response: ServerResponse, body: string | Uint8Array, pace: Pace): Promise<void> {
  for (const piece of pieces(Buffer.from(body), pace.pieceBytes)) {
    if (response.destroyed) return;
    response.write(piece);
    await setTimeout(pace.everyMs);
  }
}

/** Ends the connection in the middle of the body: the page sees a broken response. */
export function cutBody(response: ServerResponse): void {
  response.flushHeaders();
  response.socket?.destroy();
}

/** Opened by a test; what waits for it continues then. */
export interface Gate {
  open(): void;
  readonly opened: Promise<void>;
}

/** Lets a test decide when a site writes its next piece, so that no test depends on time. */
export function gate(): Gate {
  const { promise, resolve } = Promise.withResolvers<void>();
  return { open: resolve, opened: promise };
}
