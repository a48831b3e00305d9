/**
 * The open sockets of the nodes, as the platform keeps them through hibernation: when each was last in contact, which
 * nodes are candidates for the lease, and who has to be told.
 */
import type { EdgeFrame } from '../../schema/contracts/channel-frames.ts';
import { CLOSE } from '../../schema/contracts/channel-frames.ts';
import type { LeaseView } from '../../schema/contracts/leader.ts';
import type { ErrorCode } from '../../schema/errors.ts';
import { closeSocket, isSocketOpen, sendFrame } from '../shared/sockets.ts';
import { readAttachment, writeAttachment } from './attachment.ts';
import { pickCandidates } from './candidates.ts';

export class NodeSockets {
  readonly #ctx: DurableObjectState;

  constructor(ctx: DurableObjectState) {
    this.#ctx = ctx;
  }

  /** The open sockets of that node, or of all. Those whose token has expired meanwhile are closed. */
  open(nodeId?: string): WebSocket[] {
    const now = Date.now();
    return this.#ctx.getWebSockets(nodeId).filter((socket) => isSocketOpen(socket) && !this.endExpired(socket, now));
  }

  /** Closes a socket whose token has expired; whether it was one. */
  endExpired(socket: WebSocket, now: number): boolean {
    const { token_expires_at } = readAttachment(socket);
    if (token_expires_at === null || now < token_expires_at) return false;
    closeSocket(socket, CLOSE.token, 'the token has expired');
    return true;
  }

  /** Whose socket it is, by its tag: the attachment is not read for each frame. */
  ownerOf(socket: WebSocket): string {
    const [owner] = this.#ctx.getTags(socket);
    if (owner === undefined) throw new Error('a socket without its node');
    return owner;
  }

  /** Keeps that this socket said something. Called once a second at most: a busy one is not written for each frame. */
  noteMessage(socket: WebSocket, now: number): void {
    writeAttachment(socket, { ...readAttachment(socket), last_message_at: now });
  }

  /** Unix milliseconds: the last pong, the last message, or the connection itself. */
  contactOf(socket: WebSocket): number {
    const { connected_at, last_message_at } = readAttachment(socket);
    const pongAt = this.#ctx.getWebSocketAutoResponseTimestamp(socket)?.getTime() ?? 0;
    return Math.max(connected_at, last_message_at, pongAt);
  }

  candidates(now: number): ReadonlySet<string> {
    const nodes = this.open().flatMap((socket) => {
      const { controller_id, hello } = readAttachment(socket);
      return hello ? [{ controller_id, ...hello, last_contact_at: this.contactOf(socket) }] : [];
    });
    return pickCandidates(nodes, now);
  }

  /** Tells the lease to all nodes that have said hello, or to those alone whose candidacy changed. */
  tellLease(lease: LeaseView, whom: 'all' | 'changed'): void {
    const candidates = this.candidates(Date.now());
    for (const socket of this.open()) {
      const attachment = readAttachment(socket);
      if (!attachment.hello) continue;
      const candidate = candidates.has(attachment.controller_id);
      if (whom === 'changed' && candidate === attachment.candidate) continue;
      if (candidate !== attachment.candidate) writeAttachment(socket, { ...attachment, candidate });
      sendFrame(socket, { type: 'lease.changed', lease, candidate } satisfies EdgeFrame);
    }
  }
}

export function sendError(socket: WebSocket, re: string | null, code: ErrorCode): void {
  sendFrame(socket, { type: 'error', re, code } satisfies EdgeFrame);
}
