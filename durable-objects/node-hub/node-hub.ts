/**
 * The channels of the nodes: one WebSocket for each node, the one that said hello last. A socket that it replaces is closed
 * with the code for that; one of a second agent under the same node id is refused (schema/domain/boots.ts).
 *
 * The sockets hibernate, so memory holds nothing that a wake-up cannot rebuild: a socket's node is its tag and attachment,
 * and the platform responds to pings with `pong <mode_version> <term>` without waking the object. What is pushed here is
 * never the record: commands are rows, and mode and lease are read again at each `hello`, so a reconnected node gets what a
 * broken socket lost. The header that stubs.ts sets names the node, which the Worker has authenticated.
 */
import { DurableObject } from 'cloudflare:workers';
import type { AgentFrame, EdgeFrame } from '../../schema/contracts/channel-frames.ts';
import { CLOSE, PING, pongText } from '../../schema/contracts/channel-frames.ts';
import { ControllerIdSchema, HEADER } from '../../schema/contracts/common.ts';
import type { LeaseView } from '../../schema/contracts/leader.ts';
import type { Presence } from '../../schema/contracts/nodes.ts';
import type { Boot, NodeHubApi } from '../../schema/contracts/objects.ts';
import type { SystemMode } from '../../schema/contracts/system.ts';
import { admitsBoot } from '../../schema/domain/boots.ts';
import { edgeBackend } from '../backend.ts';
import type { ObjectsEnv } from '../env.ts';
import { logProblem } from '../shared/log.ts';
import { closeSocket, isSocketOpen, sendFrame } from '../shared/sockets.ts';
import { automationState, leaderLease } from '../stubs.ts';
import type { Attachment } from './attachment.ts';
import { readAttachment, writeAttachment } from './attachment.ts';
import { receiptBatch, renewalBatch } from './frame-batches.ts';
import type { FrameRate } from './frames.ts';
import { countFrame, readAgentFrame } from './frames.ts';
import { HubStore } from './hub-store.ts';
import { isRecentContact } from './lease-candidates.ts';
import { NodeSockets, sendError } from './node-sockets.ts';

type Hello = AgentFrame & { type: 'hello' };

/** The shortest time between two stored contacts of a node without a channel. */
const CONTACT_GRAIN_MS = 10_000;

export class NodeHub extends DurableObject<ObjectsEnv> implements NodeHubApi {
  readonly #store: HubStore;
  readonly #sockets: NodeSockets;
  readonly #rates = new WeakMap<WebSocket, FrameRate>();
  readonly #renewals = renewalBatch(this.env);
  readonly #receipts = receiptBatch(this.ctx);

  constructor(ctx: DurableObjectState, env: ObjectsEnv) {
    super(ctx, env);
    this.#store = new HubStore(ctx.storage);
    this.#sockets = new NodeSockets(ctx);
    this.#setPong();
  }

  // ------------------------------------------------------------------------------------------------ sockets

  override async fetch(request: Request): Promise<Response> {
    const nodeId = ControllerIdSchema.safeParse(request.headers.get(HEADER.controller_id));
    if (!nodeId.success) return new Response('missing controller id header', { status: 400 });
    if (request.headers.get('upgrade')?.toLowerCase() !== 'websocket') {
      return new Response('a WebSocket upgrade is expected', { status: 426, headers: { upgrade: 'websocket' } });
    }
    if (!this.#store.seen) await this.#learnFromObjects();
    const { 0: client, 1: server } = new WebSocketPair();
    const now = Date.now();
    this.#sockets.closeSilent(nodeId.data, now);
    this.ctx.acceptWebSocket(server, [nodeId.data]);
    writeAttachment(server, {
      controller_id: nodeId.data,
      connected_at: now,
      last_message_at: now,
      token_expires_at: tokenExpiry(request.headers),
      hello: null,
      boot_id: null,
      candidate: false,
    });
    this.#store.touch(nodeId.data, now);
    return new Response(null, { status: 101, webSocket: client });
  }

  override async webSocketMessage(socket: WebSocket, message: string | ArrayBuffer): Promise<void> {
    if (!isSocketOpen(socket)) return;
    const now = Date.now();
    const { next, tooFast } = countFrame(this.#rates.get(socket), now);
    this.#rates.set(socket, next);
    if (tooFast) {
      sendError(socket, null, 'rate_limited');
      closeSocket(socket, CLOSE.too_fast, 'too many frames a second');
      return;
    }
    const read = readAgentFrame(message);
    if (read.status === 'bad') {
      sendError(socket, read.re, read.code);
      if (read.close !== null) closeSocket(socket, read.close, read.code);
      return;
    }
    // Expiry is checked and contact stored for the first frame of a second only.
    if (next.count === 1) {
      if (this.#sockets.closeExpired(socket, now)) return;
      this.#sockets.noteMessage(socket, now);
    }
    await this.#receive(socket, read.frame);
  }

  override async webSocketClose(socket: WebSocket, code: number, reason: string): Promise<void> {
    closeSocket(socket, code, reason);
    await this.#passCandidacy(socket);
  }

  override async webSocketError(socket: WebSocket): Promise<void> {
    closeSocket(socket, CLOSE.internal, 'socket error');
    await this.#passCandidacy(socket);
  }

  // ------------------------------------------------------------------------------------------------ RPC

  async push(nodeId: string, frame: EdgeFrame): Promise<boolean> {
    // Each socket is tried: one that was just replaced may still be listed.
    return this.#sockets.greeted(nodeId).filter((socket) => sendFrame(socket, frame)).length > 0;
  }

  async broadcast(frame: EdgeFrame): Promise<number> {
    return this.#sockets.open().filter((socket) => sendFrame(socket, frame)).length;
  }

  async announceMode(mode: SystemMode, version: number, hold?: boolean): Promise<void> {
    this.#learn(version, 0);
    await this.broadcast({ type: 'mode.changed', mode, mode_version: version, hold });
  }

  async announceLease(lease: LeaseView): Promise<void> {
    this.#learn(0, lease.term);
    this.#sockets.sendLease(lease, 'all');
  }

  async offerLease(lease: LeaseView): Promise<void> {
    this.#sockets.sendLease(lease, 'changed');
  }

  async admit(nodeId: string, boot: Boot | null): Promise<boolean> {
    return this.#admit(ControllerIdSchema.parse(nodeId), boot);
  }

  async recordContact(nodeId: string): Promise<void> {
    const now = Date.now();
    const last = this.#store.lastContactAt(ControllerIdSchema.parse(nodeId));
    // A node without a channel polls every two seconds: not each poll is worth a write.
    if (last === null || now - last > CONTACT_GRAIN_MS) this.#store.touch(nodeId, now);
  }

  async presence(controllerIds: string[]): Promise<Record<string, Presence>> {
    const now = Date.now();
    return Object.fromEntries(controllerIds.map((id) => [id, this.#presenceOf(id, now)]));
  }

  async disconnect(nodeId: string): Promise<number> {
    const sockets = this.#sockets.open(nodeId);
    for (const socket of sockets) closeSocket(socket, CLOSE.token, 'token revoked');
    return sockets.length;
  }

  // ------------------------------------------------------------------------------------------------ frames

  async #receive(socket: WebSocket, frame: AgentFrame): Promise<void> {
    const controller_id = this.#sockets.nodeOf(socket);
    switch (frame.type) {
      case 'hello':
        return this.#hello(socket, readAttachment(socket), frame);
      case 'draining':
        return this.#drain(socket, frame.draining);
      case 'lease.renew':
        this.#renewals.add({ socket, renewal: { controller_id, term: frame.term, ttl_sec: frame.ttl_sec } });
        return;
      case 'receipt': {
        const { type: _type, ...receipt } = frame;
        this.#receipts.add({ nodeId: controller_id, receipt });
        return;
      }
      case 'error':
        logProblem('hub.peer_error', `${controller_id} on ${frame.re ?? 'a frame'}: ${frame.code}`);
        return;
      default:
        frame satisfies never;
    }
  }

  async #hello(socket: WebSocket, attachment: Attachment, hello: Hello): Promise<void> {
    if (hello.controller_id !== attachment.controller_id) {
      sendError(socket, 'hello', 'not_owner');
      return;
    }
    const { preferred, priority, boot_id, previous_boot_id, draining = false } = hello;
    const boot = previous_boot_id === undefined ? null : { boot_id, previous_boot_id };
    if (!this.#admit(attachment.controller_id, boot)) {
      sendError(socket, 'hello', 'duplicate_node');
      closeSocket(socket, CLOSE.duplicate, 'another agent runs under this node id');
      return;
    }
    writeAttachment(socket, {
      ...attachment,
      hello: { preferred, priority, draining },
      boot_id: boot?.boot_id ?? null,
    });
    this.#sockets.replaceBy(socket, attachment.controller_id);
    try {
      const [{ system, lease }, commands] = await Promise.all([
        this.#learnFromObjects(),
        edgeBackend(this.ctx).pendingCommands(attachment.controller_id),
      ]);
      const candidate = this.#sockets.candidates(Date.now()).has(attachment.controller_id);
      writeAttachment(socket, { ...readAttachment(socket), candidate });
      sendFrame(socket, {
        type: 'hello_ack',
        mode: system.mode,
        mode_version: system.version,
        hold: system.hold,
        lease,
        candidate,
        commands,
      } satisfies EdgeFrame);
      this.#sockets.sendLease(lease, 'changed');
    } catch (error) {
      logProblem('hub.hello', error);
      sendError(socket, 'hello', 'internal');
      closeSocket(socket, CLOSE.internal, 'try again');
    }
  }

  /** A drained node asks for no lease: another one becomes a candidate in its place. */
  async #drain(socket: WebSocket, draining: boolean): Promise<void> {
    const attachment = readAttachment(socket);
    if (attachment.hello === null) return;
    writeAttachment(socket, { ...attachment, hello: { ...attachment.hello, draining } });
    await this.#sendCandidacy();
  }

  /** Whether that process may act as the node. An admitted one takes the node from the process before it. */
  #admit(nodeId: string, boot: Boot | null): boolean {
    if (boot === null) {
      this.#store.forgetBoot(nodeId);
      return true;
    }
    const now = Date.now();
    const known = this.#store.bootOf(nodeId);
    const current = known && { ...known, seen_at: this.#sockets.seenAt(nodeId, known) };
    if (!admitsBoot(current, boot, now)) return false;
    const isNews = known?.boot_id !== boot.boot_id || now - known.seen_at > CONTACT_GRAIN_MS;
    if (isNews) this.#store.keepBoot(nodeId, { boot_id: boot.boot_id, seen_at: now });
    return true;
  }

  /** Stores when a closed socket was last in contact: its process keeps the node for a while and can come back. */
  #keepContact(socket: WebSocket): void {
    const { controller_id, boot_id } = readAttachment(socket);
    const seen_at = this.#sockets.contactOf(socket);
    this.#store.touch(controller_id, seen_at);
    const known = this.#store.bootOf(controller_id);
    if (known !== null && known.boot_id === boot_id && known.seen_at < seen_at) {
      this.#store.keepBoot(controller_id, { boot_id: known.boot_id, seen_at });
    }
  }

  /** A socket has closed: if its node was a candidate for the lease, the next node becomes one. */
  async #passCandidacy(socket: WebSocket): Promise<void> {
    const { candidate } = readAttachment(socket);
    this.#keepContact(socket);
    if (candidate && this.#sockets.open().length > 0) await this.#sendCandidacy();
  }

  /** Notifies the nodes that have become candidates, or are none any more. */
  async #sendCandidacy(): Promise<void> {
    try {
      this.#sockets.sendLease(await leaderLease(this.env).read(), 'changed');
    } catch (error) {
      logProblem('hub.candidates', error);
    }
  }

  #presenceOf(nodeId: string, now: number): Presence {
    const contacts = this.#sockets.open(nodeId).map((socket) => this.#sockets.contactOf(socket));
    const stored = this.#store.lastContactAt(nodeId);
    const all = stored === null ? contacts : [...contacts, stored];
    return {
      connected: contacts.some((at) => isRecentContact(at, now)),
      contact_age_ms: all.length === 0 ? null : Math.max(0, now - Math.max(...all)),
    };
  }

  // ------------------------------------------------------------------------------------------------ pong

  async #learnFromObjects() {
    const [system, lease] = await Promise.all([automationState(this.env).read(), leaderLease(this.env).read()]);
    this.#learn(system.version, lease.term);
    return { system, lease };
  }

  #learn(modeVersion: number, term: number): void {
    if (this.#store.learn(modeVersion, term)) this.#setPong();
  }

  #setPong(): void {
    const { seen } = this.#store;
    if (!seen) return;
    const pong = pongText(seen.mode_version, seen.term);
    this.ctx.setWebSocketAutoResponse(new WebSocketRequestResponsePair(PING, pong));
  }
}

function tokenExpiry(headers: Headers): number | null {
  const value = headers.get(HEADER.token_expires_at);
  return value === null ? null : Number(value);
}
