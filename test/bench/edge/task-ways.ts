/** The life of a step at the conductor's edge, and the least that a task queue in D1 over HTTP does. */
import { request } from 'undici';
import { WebSocket } from 'ws';
import { z } from 'zod';
import { EdgeFrameSchema } from '../../../schema/contracts/channel-frames.ts';
import type { ClaimedRun } from '../../../schema/contracts/runs.ts';
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
  #offered = Promise.withResolvers<void>();
  #creation: Promise<void> = Promise.resolve();
  #picked: ClaimedRun | null = null;

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

  async #claim(): Promise<ClaimedRun> {
    this.#claims += 1;
    const { id: controller_id, token } = this.#node;
    const body = { controller_id, claim_key: `c${this.#claims}`, term: this.#term, repos: [], executors: ['shell'] };
    return ClaimResponseSchema.parse(await this.#conductor.call(token, 'POST', '/v1/tasks/claim', body)).data;
  }

  async #complete({ run_id, step_id }: ClaimedRun): Promise<void> {
    const path = `/v1/steps/${step_id}/complete`;
    await this.#conductor.call(this.#node.token, 'POST', path, { run_id, exit_code: 0 });
  }

  /** One step is claimed and completed; a task of many steps is created now and then. */
  async claimAndComplete(): Promise<void> {
    if (this.#waiting === 0) {
      await this.#create(STEPS_OF_A_TASK);
      this.#waiting = STEPS_OF_A_TASK;
    }
    await this.#complete(await this.#claim());
    this.#waiting -= 1;
  }

  /** Opens the node's channel, over which work is offered. What waited before is completed first. */
  async listen(cleanup: Cleanup): Promise<void> {
    while (this.#waiting > 0) await this.claimAndComplete();
    const { id, token } = this.#node;
    const url = `${this.#conductor.running.url.replace('http', 'ws')}/v1/controllers/${id}/channel`;
    const socket = new WebSocket(url, { headers: { authorization: `Bearer ${token}` } });
    cleanup.add(socket, (open) => open.terminate());
    const { promise: greeted, resolve } = Promise.withResolvers<void>();
    socket.on('message', (data) => {
      const read = readJson(String(data));
      const frame = EdgeFrameSchema.parse(read.ok ? read.value : null);
      if (frame.type === 'hello_ack') resolve();
      if (frame.type === 'command' && frame.command.kind === 'step.offer') this.#offered.resolve();
    });
    const hello = { controller_id: id, host: 'bench', role: 'primary', preferred: false, priority: 100, version: '0' };
    const seen = { boot_id: id, mode_version: 0, term: this.#term };
    socket.on('open', () => socket.send(JSON.stringify({ type: 'hello', ...hello, ...seen })));
    await greeted;
  }

  /** From the request that creates a task to the claim that its offer leads to. */
  async pickUp(): Promise<void> {
    this.#offered = Promise.withResolvers<void>();
    this.#creation = this.#create(1);
    // A refused task is never offered.
    this.#creation.catch(this.#offered.reject);
    await this.#offered.promise;
    this.#picked = await this.#claim();
  }

  /** Completes what was picked up. */
  async settle(): Promise<void> {
    await this.#creation;
    if (this.#picked !== null) await this.#complete(this.#picked);
    this.#picked = null;
  }
}

export interface MinimalQueue {
  /** Create, claim, heartbeat, complete. */
  cycle(): Promise<void>;
  /** Create and claim: nothing is offered, as the caller knows when it has created. */
  pickUp(): Promise<void>;
  settle(): Promise<void>;
}

/** A queue with one statement and one request for each call, without anything around. */
export async function minimalQueue(cleanup: Cleanup): Promise<MinimalQueue> {
  const { url } = await startMinimal(cleanup);
  const ask = async (...calls: string[]): Promise<void> => {
    for (const what of calls) {
      const response = await request(`${url}/queue/${what}`, { method: 'POST' });
      const text = await response.body.text();
      if (response.statusCode !== 200) throw new Error(`${what}: ${response.statusCode} ${text}`);
    }
  };
  return {
    cycle: () => ask('create', 'claim', 'heartbeat', 'complete'),
    pickUp: () => ask('create', 'claim'),
    settle: () => ask('complete'),
  };
}
