/** The conductor's own edge as the benchmarks use it: tokens, sockets of nodes, and the operations of its lease. */
import { request } from 'undici';
import { z } from 'zod';
import { EdgeFrameSchema } from '../../../schema/contracts/channel-frames.ts';
import { LeaderAcquireResponseSchema, LeaderReleaseResponseSchema } from '../../../schema/contracts/leader.ts';
import { LEASE } from '../../../schema/defaults.ts';
import { AskingSocket } from '../harness/asking-socket.ts';
import type { Cleanup } from '../harness/cleanup.ts';
import { expectAnswer } from '../peers/peer.ts';
import type { Running } from './runtime.ts';
import { BOOTSTRAP_TOKEN, startConductor } from './runtime.ts';

const TokenResponseSchema = z.object({ data: z.object({ token: z.string() }) });
const AcquireResponseSchema = z.object({ data: LeaderAcquireResponseSchema });
const ReleaseResponseSchema = z.object({ data: LeaderReleaseResponseSchema });

export interface BenchNode {
  id: string;
  token: string;
}

export class Conductor {
  readonly running: Running;
  readonly #cleanup: Cleanup;
  #ttls = 0;

  private constructor(running: Running, cleanup: Cleanup) {
    this.running = running;
    this.#cleanup = cleanup;
  }

  static async start(cleanup: Cleanup, entryPoint?: string): Promise<Conductor> {
    return new Conductor(await startConductor(cleanup, entryPoint), cleanup);
  }

  /** One call with that token. Rejects when it is not answered with success. */
  async call(
    token: string,
    method: 'GET' | 'POST' | 'PUT',
    path: string,
    body?: object,
    headers: Record<string, string> = {},
  ) {
    const response = await request(`${this.running.url}${path}`, {
      method,
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json', ...headers },
      body: body === undefined ? null : JSON.stringify(body),
    });
    const text = await response.body.text();
    if (response.statusCode >= 300) throw new Error(`${method} ${path}: ${response.statusCode} ${text}`);
    return JSON.parse(text) as unknown;
  }

  /** A node with a token of its own. */
  async node(id: string): Promise<BenchNode> {
    const body = { role: 'controller', subject: id, controller_id: id };
    const { data } = TokenResponseSchema.parse(await this.call(BOOTSTRAP_TOKEN, 'POST', '/v1/tokens', body));
    return { id, token: data.token };
  }

  async nodes(count: number, prefix: string): Promise<BenchNode[]> {
    const made: BenchNode[] = [];
    for (let index = 0; index < count; index++) made.push(await this.node(`${prefix}-${index}`));
    return made;
  }

  /** The node's channel, after its hello. Notices are passed over. */
  async channel({ id, token }: BenchNode): Promise<AskingSocket> {
    const url = `${this.running.url.replace('http', 'ws')}/v1/controllers/${id}/channel`;
    const socket = await AskingSocket.open(url, {
      headers: { authorization: `Bearer ${token}` },
      isAnswer: (text) => /^\{"type":"(hello_ack|lease\.result|error)"|^pong /.test(text),
    });
    this.#cleanup.add(socket, (open) => open.close());
    const hello = { controller_id: id, host: id, role: 'primary', preferred: false, priority: 100, version: '0' };
    const answer = await socket.ask(JSON.stringify({ type: 'hello', ...hello, boot_id: id, mode_version: 0, term: 0 }));
    const frame = EdgeFrameSchema.parse(JSON.parse(answer));
    if (frame.type !== 'hello_ack') throw new Error(`hello was answered with ${answer}`);
    return socket;
  }

  /** A time to live that differs from call to call: a record that is written as it was is not written. */
  #ttlSec(): number {
    this.#ttls += 1;
    return LEASE.ttl_max_sec - (this.#ttls % 100);
  }

  /** Returns the term. */
  async acquire({ id, token }: BenchNode, wanted = true): Promise<number> {
    const body = { controller_id: id, host: id, ttl_sec: this.#ttlSec() };
    const { data } = AcquireResponseSchema.parse(await this.call(token, 'POST', '/v1/leader/acquire', body));
    expectAnswer(data.is_leader, wanted, 'acquire');
    return data.term;
  }

  async release({ id, token }: BenchNode, term: number): Promise<void> {
    const body = { controller_id: id, term };
    const { data } = ReleaseResponseSchema.parse(await this.call(token, 'POST', '/v1/leader/release', body));
    expectAnswer(data.released, true, 'release');
  }

  async renew(socket: AskingSocket, term: number, wanted = true): Promise<void> {
    const answer = await socket.ask(JSON.stringify({ type: 'lease.renew', term, ttl_sec: this.#ttlSec() }));
    if (!answer.startsWith('{"type":"lease.result"')) throw new Error(`a renewal was answered with ${answer}`);
    expectAnswer(answer.includes('"is_leader":true'), wanted, 'renewal');
  }
}
