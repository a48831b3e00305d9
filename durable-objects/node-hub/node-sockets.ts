/**
 * The open sockets of the nodes, which the platform keeps through hibernation: when each was last in contact, which nodes
 * are candidates for the lease, and which have to be notified of it.
 */
import type { EdgeFrame } from '../../schema/contracts/channel-frames.ts';
import { CLOSE } from '../../schema/contracts/channel-frames.ts';
import type { LeaseView } from '../../schema/contracts/leader.ts';
import type { ErrorCode } from '../../schema/errors.ts';
import { closeSocket, isSocketOpen, sendFrame } from '../shared/sockets.ts';
import { readAttachment, writeAttachment } from './attachment.ts';
import { pickCandidates } from './lease-candidates.ts';

export class NodeSockets {
  readonly #ctx: DurableObjectState;

  constructor(ctx: DurableObjectState) {
    this.#ctx = ctx;
  }

  /** The open sockets of that node, or of all nodes. A socket whose token has expired is closed instead. */
  open(nodeId?: string): WebSocket[] {
    const now = Date.now();
    return this.#ctx.getWebSockets(nodeId).filter((socket) => isSocketOpen(socket) && !this.closeExpired(socket, now));
  }

  /** Closes the socket if its token has expired; true when it did. */
  closeExpired(socket: WebSocket, now: number): boolean {
    const { token_expires_at } = readAttachment(socket);
    if (token_expires_at === null || now < token_expires_at) return false;
    closeSocket(socket, CLOSE.token, 'the token has expired');
    return true;
  }

  /** The node of the socket, by its tag, so that the attachment is not parsed for each frame. */
  nodeOf(socket: WebSocket): string {
    const [nodeId] = this.#ctx.getTags(socket);
    if (nodeId === undefined) throw new Error('a socket without the tag of its node');
    return nodeId;
  }

  /** Stores that this socket sent a message. Called at most once a second, so that a busy socket is not written each time. */
  noteMessage(socket: WebSocket, now: number): void {
    writeAttachment(socket, { ...readAttachment(socket), last_message_at: now });
  }

  /** Unix milliseconds: the last pong, the last message, or the connect. */
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

  /** Sends the lease to all nodes that have sent their hello, or only to those whose candidacy changed. */
  sendLease(lease: LeaseView, recipients: 'all' | 'changed'): void {
    const candidates = this.candidates(Date.now());
    for (const socket of this.open()) {
      const attachment = readAttachment(socket);
      if (!attachment.hello) continue;
      const candidate = candidates.has(attachment.controller_id);
      if (recipients === 'changed' && candidate === attachment.candidate) continue;
      if (candidate !== attachment.candidate) writeAttachment(socket, { ...attachment, candidate });
      sendFrame(socket, { type: 'lease.changed', lease, candidate } satisfies EdgeFrame);
    }
  }
}

export function sendError(socket: WebSocket, re: string | null, code: ErrorCode): void {
  sendFrame(socket, { type: 'error', re, code } satisfies EdgeFrame);
}
