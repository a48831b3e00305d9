/** Builders of the object tests: their stubs, a node on a real socket, and a D1 that is away. */
import { applyD1Migrations, reset, runInDurableObject } from 'cloudflare:test';
import { env } from 'cloudflare:workers';
import type { MockInstance } from 'vitest';
import { vi } from 'vitest';
import { nodeHub } from '../../../durable-objects/stubs.ts';
import type { AgentFrame, EdgeFrame } from '../../../schema/contracts/channel-frames.ts';
import { EdgeFrameSchema } from '../../../schema/contracts/channel-frames.ts';
import type { EdgeBackendApi } from '../../../schema/contracts/objects.ts';

export const leaseStub = () => env.LEADER_LEASE.get(env.LEADER_LEASE.idFromName('global'));
export const modeStub = () => env.AUTOMATION_STATE.get(env.AUTOMATION_STATE.idFromName('global'));
export const jobsStub = () => env.TIMED_JOBS.get(env.TIMED_JOBS.idFromName('global'));
export const hubStub = () => env.NODE_HUB.get(env.NODE_HUB.idFromName('hub-0'));

export interface FenceRow {
  term: number;
  holder_id: string | null;
  mode: string;
  mode_version: number;
}
export async function fenceRow(): Promise<FenceRow | null> {
  return env.DB.prepare('SELECT term, holder_id, mode, mode_version FROM fence WHERE id = 1').first<FenceRow>();
}

/** Runs `act` while D1 has no fence table, as it is when D1 fails. The objects log that; it must not be silent. */
export async function withoutFence(act: () => Promise<void>): Promise<void> {
  const log = muteLog();
  await env.DB.exec('ALTER TABLE fence RENAME TO fence_away');
  try {
    await act();
  } finally {
    await env.DB.exec('ALTER TABLE fence_away RENAME TO fence');
    log.mockRestore();
  }
}

/** The problems that objects log from here on, kept from the test's output until it is restored. */
export function muteLog(): MockInstance<typeof console.error> {
  return vi.spyOn(console, 'error').mockImplementation(() => {});
}

type FrameOf<Type extends EdgeFrame['type']> = EdgeFrame & { type: Type };

/** A node with its socket. Frames are kept until they are asked for. */
export class TestNode {
  readonly id: string;
  readonly #socket: WebSocket;
  readonly #texts: string[] = [];
  #wake: () => void = () => {};
  /** Code of the close that the node saw. */
  readonly closed: Promise<number>;

  static async connect(id: string, tokenExpiresAt: number | null = null): Promise<TestNode> {
    const upgrade = new Request('https://hub/', { headers: { upgrade: 'websocket' } });
    const answer = await nodeHub(env, id).fetch(upgrade, tokenExpiresAt);
    if (!answer.webSocket) throw new Error(`no socket: ${answer.status}`);
    return new TestNode(id, answer.webSocket);
  }

  constructor(id: string, socket: WebSocket) {
    this.id = id;
    this.#socket = socket;
    socket.accept();
    socket.addEventListener('message', (event) => {
      this.#texts.push(String(event.data));
      this.#wake();
    });
    this.closed = new Promise((resolve) => {
      socket.addEventListener('close', (event) => resolve(event.code));
    });
  }

  send(frame: AgentFrame): void {
    this.sendRaw(JSON.stringify(frame));
  }

  sendRaw(data: string | ArrayBuffer): void {
    this.#socket.send(data);
  }

  close(): void {
    this.#socket.close(1000, 'bye');
  }

  /** Sends its hello and takes the answer. */
  hello(more: { preferred?: boolean; priority?: number } = {}): Promise<FrameOf<'hello_ack'>> {
    this.sayHello(more);
    return this.next('hello_ack');
  }

  sayHello(more: { controller_id?: string; preferred?: boolean; priority?: number } = {}): void {
    this.send({
      type: 'hello',
      controller_id: more.controller_id ?? this.id,
      host: `${this.id}-host`,
      role: 'primary',
      preferred: more.preferred ?? false,
      priority: more.priority ?? 100,
      version: '1',
      boot_id: 'boot',
      mode_version: 0,
      term: 0,
    });
  }

  /** The next text that came, whatever it is. */
  async text(): Promise<string> {
    for (;;) {
      const text = this.#texts.shift();
      if (text !== undefined) return text;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  /** The next frame of that type; others in between are skipped. */
  async next<Type extends EdgeFrame['type']>(type: Type): Promise<FrameOf<Type>> {
    for (;;) {
      const frame = EdgeFrameSchema.parse(JSON.parse(await this.text()));
      if (frame.type === type) return frame as FrameOf<Type>;
    }
  }
}

/** Everything as on the first day: no object has run, D1 is empty. */
export async function freshEdge(): Promise<void> {
  // `reset` forgets to delete what an evicted object has stored: they are all awake when it comes.
  for (const stub of [leaseStub(), modeStub(), jobsStub(), hubStub()]) await runInDurableObject(stub, () => undefined);
  await reset();
  await applyD1Migrations(env.DB, env.TEST_MIGRATIONS);
}

/** Puts a backend in the place of the Worker's, for that object while it lives. */
export async function withBackend(stub: DurableObjectStub, backend: Partial<EdgeBackendApi>): Promise<void> {
  await runInDurableObject(stub, (_object, ctx) => {
    Object.defineProperty(ctx, 'exports', { value: { EdgeBackend: backend }, configurable: true });
  });
}
