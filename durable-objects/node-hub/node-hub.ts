/**
 * The sockets of the nodes. They hibernate: nothing is in memory that a wake-up cannot rebuild, identity is the tag and
 * the attachment, pings are answered by the platform with `pong <mode_version> <term>` without waking the object.
 * A node has one socket, the newest. What is pushed here is never the record: commands are rows, mode and lease are
 * read again at each `hello`, so whatever a broken socket swallowed is there after the reconnect.
 * Whose socket it is says the header that stubs.ts sets; the Worker has authenticated it.
 */
import { DurableObject } from 'cloudflare:workers';
import type { AgentFrame, EdgeFrame } from '../../schema/contracts/channel-frames.ts';
import { CLOSE, PING, pongText } from '../../schema/contracts/channel-frames.ts';
import type { Receipt } from '../../schema/contracts/commands.ts';
import { ControllerIdSchema, HEADER } from '../../schema/contracts/common.ts';
import type { LeaseView } from '../../schema/contracts/leader.ts';
import type { Presence } from '../../schema/contracts/nodes.ts';
import type { LeaseRenewal, NodeHubApi } from '../../schema/contracts/objects.ts';
import type { SystemMode } from '../../schema/contracts/system.ts';
import { edgeBackend } from '../backend.ts';
import type { ObjectsEnv } from '../env.ts';
import { logProblem } from '../shared/log.ts';
import { closeSocket, isOpen, sendFrame } from '../shared/sockets.ts';
import { TurnBatch } from '../shared/turn-batch.ts';
import { automationState, leaderLease } from '../stubs.ts';
import type { Attachment } from './attachment.ts';
import { readAttachment, writeAttachment } from './attachment.ts';
import { isRecentContact } from './candidates.ts';
import type { FrameRate } from './frames.ts';
import { countFrame, readAgentFrame } from './frames.ts';
import { HubStore } from './hub-store.ts';
import { NodeSockets, sendError } from './node-sockets.ts';

type Hello = AgentFrame & { type: 'hello' };
interface AskedRenewal {
  socket: WebSocket;
  renewal: LeaseRenewal;
}
interface SentReceipt {
  nodeId: string;
  receipt: Receipt;
}

const HEARD_GRAIN_MS = 10_000;

export class NodeHub extends DurableObject<ObjectsEnv> implements NodeHubApi {
  readonly #store: HubStore;
  readonly #sockets: NodeSockets;
  readonly #rates = new WeakMap<WebSocket, FrameRate>();
  readonly #renewals = new TurnBatch<AskedRenewal>(
    (asked) => this.#renewAll(asked),
    (asked, error) => {
      logProblem('hub.renew', error);
      for (const { socket } of asked) sendError(socket, 'lease.renew', 'internal');
    },
  );
  readonly #receipts = new TurnBatch<SentReceipt>(
    (sent) => this.#reportReceipts(sent),
    // The commands stay pending, so they are sent again after the next hello.
    (_sent, error) => logProblem('hub.receipts', error),
  );

  constructor(ctx: DurableObjectState, env: ObjectsEnv) {
    super(ctx, env);
    this.#store = new HubStore(ctx.storage);
    this.#sockets = new NodeSockets(ctx);
    this.#setPong();
  }

  // ------------------------------------------------------------------------------------------------ sockets

  override async fetch(request: Request): Promise<Response> {
    const identity = ControllerIdSchema.safeParse(request.headers.get(HEADER.controller_id));
    if (!identity.success) return new Response('whose socket this is was not said', { status: 400 });
    if (request.headers.get('upgrade')?.toLowerCase() !== 'websocket') {
      return new Response('a WebSocket upgrade is expected', { status: 426, headers: { upgrade: 'websocket' } });
    }
    if (!this.#store.seen) await this.#learnFromObjects();
    const { 0: client, 1: server } = new WebSocketPair();
    const now = Date.now();
    for (const older of this.ctx.getWebSockets(identity.data)) {
      closeSocket(older, CLOSE.replaced, 'another connection of this node');
    }
    this.ctx.acceptWebSocket(server, [identity.data]);
    writeAttachment(server, {
      controller_id: identity.data,
      connected_at: now,
      last_message_at: now,
      token_expires_at: expiryIn(request.headers),
      hello: null,
      candidate: false,
    });
    this.#store.touch(identity.data, now);
    return new Response(null, { status: 101, webSocket: client });
  }

  override async webSocketMessage(socket: WebSocket, message: string | ArrayBuffer): Promise<void> {
    if (!isOpen(socket)) return;
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
    // The first of its second: presence is kept that fine, and no finer.
    if (next.count === 1) {
      if (this.#sockets.endExpired(socket, now)) return;
      this.#sockets.noteMessage(socket, now);
    }
    await this.#receive(socket, read.frame);
  }

  override async webSocketClose(socket: WebSocket, code: number, reason: string): Promise<void> {
    closeSocket(socket, code, reason);
    await this.#left(socket);
  }

  override async webSocketError(socket: WebSocket): Promise<void> {
    closeSocket(socket, CLOSE.internal, 'socket error');
    await this.#left(socket);
  }

  // ------------------------------------------------------------------------------------------------ RPC

  async push(nodeId: string, frame: EdgeFrame): Promise<boolean> {
    // Each is tried: a socket that was replaced a moment ago may still be listed.
    return this.#sockets.open(nodeId).filter((socket) => sendFrame(socket, frame)).length > 0;
  }

  async broadcast(frame: EdgeFrame): Promise<number> {
    return this.#sockets.open().filter((socket) => sendFrame(socket, frame)).length;
  }

  async announceMode(mode: SystemMode, version: number): Promise<void> {
    this.#learn(version, 0);
    await this.broadcast({ type: 'mode.changed', mode, mode_version: version });
  }

  async announceLease(lease: LeaseView): Promise<void> {
    this.#learn(0, lease.term);
    this.#sockets.tellLease(lease, 'all');
  }

  async offerLease(lease: LeaseView): Promise<void> {
    this.#sockets.tellLease(lease, 'changed');
  }

  async recordContact(nodeId: string): Promise<void> {
    const now = Date.now();
    const known = this.#store.lastContactAt(ControllerIdSchema.parse(nodeId));
    // A node without a socket asks every two seconds; a write for each would cost more than it tells.
    if (known === null || now - known > HEARD_GRAIN_MS) this.#store.touch(nodeId, now);
  }

  async presence(controllerIds: string[]): Promise<Record<string, Presence>> {
    const now = Date.now();
    return Object.fromEntries(controllerIds.map((id) => [id, this.#presenceOf(id, now)]));
  }

  async disconnect(nodeId: string): Promise<number> {
    const sockets = this.#sockets.open(nodeId);
    for (const socket of sockets) closeSocket(socket, CLOSE.token, 'the token is good no longer');
    return sockets.length;
  }

  // ------------------------------------------------------------------------------------------------ frames

  async #receive(socket: WebSocket, frame: AgentFrame): Promise<void> {
    const controller_id = this.#sockets.ownerOf(socket);
    switch (frame.type) {
      case 'hello':
        return this.#hello(socket, readAttachment(socket), frame);
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
    const { preferred, priority } = hello;
    writeAttachment(socket, { ...attachment, hello: { preferred, priority } });
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
        lease,
        candidate,
        commands,
      } satisfies EdgeFrame);
      this.#sockets.tellLease(lease, 'changed');
    } catch (error) {
      logProblem('hub.hello', error);
      sendError(socket, 'hello', 'internal');
      closeSocket(socket, CLOSE.internal, 'try again');
    }
  }

  async #renewAll(asked: AskedRenewal[]): Promise<void> {
    const result = await leaderLease(this.env).renewAll(asked.map(({ renewal }) => renewal));
    asked.forEach(({ socket }, index) => {
      const answer = result.status === 'ok' ? result.responses[index] : undefined;
      if (answer) sendFrame(socket, { type: 'lease.result', ...answer } satisfies EdgeFrame);
      else sendError(socket, 'lease.renew', 'internal');
    });
  }

  async #reportReceipts(sent: SentReceipt[]): Promise<void> {
    const backend = edgeBackend(this.ctx);
    const byNode = Map.groupBy(sent, ({ nodeId }) => nodeId);
    await Promise.all(
      Array.from(byNode, ([nodeId, items]) =>
        backend.receipts(
          nodeId,
          items.map(({ receipt }) => receipt),
        ),
      ),
    );
  }

  // ------------------------------------------------------------------------------------------------ candidates

  /** A node's socket has gone: its place as a candidate goes to the next one. */
  async #left(socket: WebSocket): Promise<void> {
    const { controller_id, candidate } = readAttachment(socket);
    this.#store.touch(controller_id, this.#sockets.contactOf(socket));
    if (!candidate || this.#sockets.open().length === 0) return;
    try {
      this.#sockets.tellLease(await leaderLease(this.env).read(), 'changed');
    } catch (error) {
      logProblem('hub.candidates', error);
    }
  }

  // ------------------------------------------------------------------------------------------------ presence

  #presenceOf(nodeId: string, now: number): Presence {
    const contacts = this.#sockets.open(nodeId).map((socket) => this.#sockets.contactOf(socket));
    const remembered = this.#store.lastContactAt(nodeId);
    const known = remembered === null ? contacts : [...contacts, remembered];
    return {
      connected: contacts.some((at) => isRecentContact(at, now)),
      contact_age_ms: known.length === 0 ? null : Math.max(0, now - Math.max(...known)),
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

function expiryIn(headers: Headers): number | null {
  const given = headers.get(HEADER.token_expires_at);
  return given === null ? null : Number(given);
}
