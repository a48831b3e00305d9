/** Builders of the object tests: their stubs, a node with a real socket, and a D1 that fails or is slow. */
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

/** Runs `act` while D1 has no fence table, so that every raise of the fence fails. The objects log that, and must. */
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

/** Looks until `look` holds. The test's own limit ends what never comes. */
export async function until(look: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await look())) await new Promise((resolve) => setTimeout(resolve, POLL_MS));
}

/**
 * Holds back every batch that this object sends to D1 until `release` is called; `isAsked`: one waits. Both
 * sides poll, because a promise must not cross from one object's context into another's.
 */
export async function holdBackD1(stub: DurableObjectStub): Promise<{ isAsked: () => boolean; release: () => void }> {
  let asked = false;
  let released = false;
  await runInDurableObject(stub, (object) => {
    const { DB } = env;
    const batch: D1Database['batch'] = async (statements) => {
      asked = true;
      while (!released) await new Promise((resolve) => setTimeout(resolve, POLL_MS));
      return DB.batch(statements);
    };
    const held = { prepare: (sql: string) => DB.prepare(sql), batch };
    Object.defineProperty(object, 'env', { value: { ...env, DB: held }, configurable: true });
  });
  return {
    isAsked: () => asked,
    release: () => {
      released = true;
    },
  };
}
const POLL_MS = 5;

/** A spy on what objects log, which keeps it out of the test's output until it is restored. */
export function muteLog(): MockInstance<typeof console.error> {
  return vi.spyOn(console, 'error').mockImplementation(() => {});
}

type FrameOf<Type extends EdgeFrame['type']> = EdgeFrame & { type: Type };

interface HelloPart {
  preferred?: boolean;
  draining?: boolean;
  priority?: number;
  /** With `previous_boot_id`; without it the hello is one of an older version. */
  boot_id?: string;
  previous_boot_id?: string | null;
}

/** A node with its socket. Frames are kept until the test asks for them. */
export class TestNode {
  readonly id: string;
  readonly #socket: WebSocket;
  readonly #texts: string[] = [];
  #wake: () => void = () => {};
  /** The close code that the node received. */
  readonly closed: Promise<number>;

  static async connect(id: string, tokenExpiresAt: number | null = null): Promise<TestNode> {
    const upgrade = new Request('https://hub/', { headers: { upgrade: 'websocket' } });
    const response = await nodeHub(env, id).fetch(upgrade, tokenExpiresAt);
    if (!response.webSocket) throw new Error(`no socket: ${response.status}`);
    return new TestNode(id, response.webSocket);
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

  /** Sends its hello and waits for the response. */
  hello(more: HelloPart = {}): Promise<FrameOf<'hello_ack'>> {
    this.sayHello(more);
    return this.next('hello_ack');
  }

  sayHello(more: HelloPart & { controller_id?: string } = {}): void {
    this.send({
      type: 'hello',
      controller_id: more.controller_id ?? this.id,
      host: `${this.id}-host`,
      role: 'primary',
      preferred: more.preferred ?? false,
      priority: more.priority ?? 100,
      version: '1',
      boot_id: more.boot_id ?? 'boot',
      ...(more.previous_boot_id === undefined ? {} : { previous_boot_id: more.previous_boot_id }),
      mode_version: 0,
      term: 0,
      ...(more.draining === undefined ? {} : { draining: more.draining }),
    });
  }

  /** The next received text, of any kind. */
  async text(): Promise<string> {
    for (;;) {
      const text = this.#texts.shift();
      if (text !== undefined) return text;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  /** The next received frame of that type; other frames before it are dropped. */
  async next<Type extends EdgeFrame['type']>(type: Type): Promise<FrameOf<Type>> {
    for (;;) {
      const frame = EdgeFrameSchema.parse(JSON.parse(await this.text()));
      if (frame.type === type) return frame as FrameOf<Type>;
    }
  }
}

/** Resets everything: no object has run, and D1 is empty. */
export async function freshEdge(): Promise<void> {
  // `reset` does not delete the storage of an evicted object, so all objects are woken first.
  for (const stub of [leaseStub(), modeStub(), jobsStub(), hubStub()]) await runInDurableObject(stub, () => undefined);
  await reset();
  await applyD1Migrations(env.DB, env.TEST_MIGRATIONS);
}

/** Replaces the Worker's backend for that object until it is evicted. */
export async function withBackend(stub: DurableObjectStub, backend: Partial<EdgeBackendApi>): Promise<void> {
  await runInDurableObject(stub, (_object, ctx) => {
    Object.defineProperty(ctx, 'exports', { value: { EdgeBackend: backend }, configurable: true });
  });
}
