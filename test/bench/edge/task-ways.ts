/** The life of a step at the conductor's edge, and the least that a task queue in D1 over HTTP does. */
import { request } from 'undici';
import { WebSocket } from 'ws';
import { z } from 'zod';
import { EdgeFrameSchema } from '../../../schema/contracts/channel-frames.ts';
import { ClaimedRunSchema } from '../../../schema/contracts/runs.ts';
import { TaskCreatedSchema } from '../../../schema/contracts/tasks.ts';
import { readJson } from '../../../schema/json-text.ts';
import type { Cleanup } from '../harness/cleanup.ts';
import type { BenchNode } from './conductor.ts';
import { Conductor } from './conductor.ts';
import { BOOTSTRAP_TOKEN, startMinimal } from './runtime.ts';

const STEPS_OF_A_TASK = 64;
const STEP = { kind: 'shell', name: 'nothing', input: { script: 'true' } };
const ClaimResponseSchema = z.object({ data: ClaimedRunSchema });
const CreatedResponseSchema = z.object({ data: TaskCreatedSchema });

export class TaskEdge {
  readonly #conductor: Conductor;
  readonly #node: BenchNode;
  readonly #term: number;
  #waiting = 0;
  #claims = 0;
  #onOffer: () => void = () => undefined;

  private constructor(conductor: Conductor, node: BenchNode, term: number) {
    this.#conductor = conductor;
    this.#node = node;
    this.#term = term;
  }

  /** With a node that has registered and leads. */
  static async start(cleanup: Cleanup): Promise<TaskEdge> {
    const conductor = await Conductor.start(cleanup);
    const node = await conductor.node('bench-node');
    const { id: controller_id, token } = node;
    const self = { controller_id, host: 'bench', role: 'primary', priority: 100, status: 'leader' };
    await conductor.call(token, 'POST', '/v1/controllers/heartbeat', self);
    return new TaskEdge(conductor, node, await conductor.acquire(node));
  }

  async #create(steps: number): Promise<void> {
    const body = { task_type: 'shell', title: 'bench', goal: 'bench', steps: Array(steps).fill(STEP) };
    CreatedResponseSchema.parse(await this.#conductor.call(BOOTSTRAP_TOKEN, 'POST', '/v1/tasks', body));
  }

  async #claim() {
    this.#claims += 1;
    const { id: controller_id, token } = this.#node;
    const body = { controller_id, claim_key: `c${this.#claims}`, term: this.#term, repos: [], executors: ['shell'] };
    return ClaimResponseSchema.parse(await this.#conductor.call(token, 'POST', '/v1/tasks/claim', body)).data;
  }

  /** One step is claimed and completed; a task of many steps is created now and then. */
  async claimAndComplete(): Promise<void> {
    if (this.#waiting === 0) {
      await this.#create(STEPS_OF_A_TASK);
      this.#waiting = STEPS_OF_A_TASK;
    }
    const { run_id, step_id } = await this.#claim();
    const path = `/v1/steps/${step_id}/complete`;
    await this.#conductor.call(this.#node.token, 'POST', path, { run_id, exit_code: 0 });
    this.#waiting -= 1;
  }

  /** Opens the node's channel, over which work is offered. */
  async listen(cleanup: Cleanup): Promise<void> {
    const { id, token } = this.#node;
    const url = `${this.#conductor.running.url.replace('http', 'ws')}/v1/controllers/${id}/channel`;
    const socket = new WebSocket(url, { headers: { authorization: `Bearer ${token}` } });
    cleanup.add(socket, (open) => open.terminate());
    const { promise: greeted, resolve } = Promise.withResolvers<void>();
    socket.on('message', (data) => {
      const read = readJson(String(data));
      const frame = EdgeFrameSchema.parse(read.ok ? read.value : null);
      if (frame.type === 'hello_ack') resolve();
      if (frame.type === 'command' && frame.command.kind === 'step.offer') this.#onOffer();
    });
    const hello = { controller_id: id, host: 'bench', role: 'primary', preferred: false, priority: 100, version: '0' };
    const seen = { boot_id: id, mode_version: 0, term: this.#term };
    socket.on('open', () => socket.send(JSON.stringify({ type: 'hello', ...hello, ...seen })));
    await greeted;
  }

  /** From the request that creates a task to the claim that its offer leads to. */
  async pickUp(): Promise<void> {
    const offered = new Promise<void>((resolve) => {
      this.#onOffer = resolve;
    });
    await Promise.all([this.#create(1), offered.then(() => this.#claim())]);
  }
}

/** Create, claim, heartbeat, complete: one statement and one request each, without anything around. */
export async function minimalCycle(cleanup: Cleanup): Promise<() => Promise<void>> {
  const { url } = await startMinimal(cleanup);
  const ask = async (what: string): Promise<void> => {
    const response = await request(`${url}/queue/${what}`, { method: 'POST' });
    const text = await response.body.text();
    if (response.statusCode !== 200) throw new Error(`${what}: ${response.statusCode} ${text}`);
  };
  return async () => {
    for (const what of ['create', 'claim', 'heartbeat', 'complete']) await ask(what);
  };
}
