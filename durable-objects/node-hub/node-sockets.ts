/**
 * The open sockets of the nodes, which the platform keeps through hibernation: when each was last in contact, which nodes
 * are candidates for the lease, and which have to be notified of it.
 */
import type { EdgeFrame } from '../../schema/contracts/channel-frames.ts';
import { CLOSE } from '../../schema/contracts/channel-frames.ts';
import type { LeaseView } from '../../schema/contracts/leader.ts';
import { HTTP } from '../../schema/defaults.ts';
import type { AdmittedBoot } from '../../schema/domain/boots.ts';
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

  /** The sockets that get what is sent to that node: those that have said hello, if there are any. */
  greeted(nodeId: string): WebSocket[] {
    const open = this.open(nodeId);
    const greeted = open.filter((socket) => readAttachment(socket).hello !== null);
    return greeted.length === 0 ? open : greeted;
  }

  /**
   * That socket has said hello: it replaces the others of its node that have. One that is still being opened is left: a
   * close would get lost before its upgrade is complete, and its own hello replaces this socket.
   */
  replaceBy(socket: WebSocket, nodeId: string): void {
    for (const other of this.open(nodeId)) {
      if (other === socket || readAttachment(other).hello === null) continue;
      closeSocket(other, CLOSE.replaced, 'another connection of this node');
    }
  }

  /** Closes the sockets of that node that have been open for long without a hello. */
  closeSilent(nodeId: string, now: number): void {
    for (const socket of this.open(nodeId)) {
      const { hello, connected_at } = readAttachment(socket);
      if (hello !== null || now - connected_at <= HTTP.request_timeout_ms) continue;
      closeSocket(socket, CLOSE.no_hello, 'no hello in time');
    }
  }

  /** When that process of the node was last in contact: over its socket, or as stored. Unix milliseconds. */
  seenAt(nodeId: string, { boot_id, seen_at }: AdmittedBoot): number {
    const own = this.open(nodeId).filter((socket) => readAttachment(socket).boot_id === boot_id);
    return Math.max(seen_at, ...own.map((socket) => this.contactOf(socket)));
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
