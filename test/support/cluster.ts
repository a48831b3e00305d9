/**
 * Real processes: one edge in the local runtime, and agents as programs of their own, each with its own root, token and
 * (when asked for) its own proxy to the edge. Its reports are read at their source: the edge's history of terms,
 * an agent's local API, an agent's log on disk.
 */
import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import type { RuntimeSnapshot } from '../../local-agent/node/snapshot.ts';
import { REPOSITORY } from '../../local-agent/stack/layout.ts';
import type { Stack } from '../../local-agent/stack/stack.ts';
import { startStack } from '../../local-agent/stack/stack.ts';
import type { LeaderTerm, LeaseView } from '../../schema/contracts/leader.ts';
import { CutProxy } from './cut-proxy.ts';

const LOOK_MS = 50;
const STOP_MS = 12_000;

/** Looks until `look` finds something. The test's own limit ends what never comes. */
export async function until<T>(look: () => Promise<T | null | undefined | false>): Promise<T> {
  for (;;) {
    const found = await look();
    if (found !== null && found !== undefined && found !== false) return found;
    await setTimeout(LOOK_MS);
  }
}

/** One line of an agent's log. */
export interface LogLine {
  time: number;
  msg: string;
  state?: string;
  term?: number;
}

export interface NodeOptions {
  preferred?: boolean;
  /** Flags of `conductor start`. */
  flags?: readonly string[];
}

export class TestNode {
  readonly id: string;
  readonly root: string;
  readonly token: string;
  readonly proxy: CutProxy;
  readonly #flags: readonly string[];
  #child: ChildProcess | null = null;
  #localApi = '';

  constructor(id: string, root: string, token: string, proxy: CutProxy, flags: readonly string[]) {
    this.id = id;
    this.root = root;
    this.token = token;
    this.proxy = proxy;
    this.#flags = flags;
    mkdirSync(root, { recursive: true, mode: 0o700 });
  }

  /** Where its browsers connect. */
  get localApi(): string {
    return this.#localApi;
  }

  /** Starts the program and waits until it has gone through its checklist. */
  async start(): Promise<void> {
    const child = spawn(
      process.execPath,
      [
        ...['--import', join(REPOSITORY, 'local-agent', 'stack', 'end-with-parent.ts')],
        ...[join(REPOSITORY, 'local-agent', 'cli.ts'), 'start', '--json', ...this.#flags],
      ],
      {
        cwd: REPOSITORY,
        env: {
          PATH: process.env.PATH,
          HOME: this.root,
          BAA_ROOT: this.root,
          BAA_NODE_ID: this.id,
          BAA_CONDUCTOR_HOST: this.id,
          BAA_SHARED_TOKEN: this.token,
          BAA_CONTROL_API_BASE: this.proxy.url,
          BAA_CONDUCTOR_LOCAL_API: 'http://127.0.0.1:0',
        },
        stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
      },
    );
    this.#child = child;
    let printed = '';
    let complained = '';
    child.stdout?.on('data', (chunk) => {
      printed += String(chunk);
    });
    child.stderr?.on('data', (chunk) => {
      complained += String(chunk);
    });
    const snapshot = await until(async () => {
      if (child.exitCode !== null) throw new Error(`${this.id} ended at its start: ${complained}`);
      return parsedOrNull(printed) as RuntimeSnapshot | null;
    });
    this.#localApi = snapshot.local_api ?? '';
  }

  /** What the agent says of itself. */
  async snapshot(): Promise<RuntimeSnapshot> {
    const answer = await fetch(`${this.#localApi}/v1/status`, { headers: { authorization: `Bearer ${this.token}` } });
    return ((await answer.json()) as { data: RuntimeSnapshot }).data;
  }

  /** Resolves when it is connected, on standby, and a candidate for the lease. */
  async standsBy(): Promise<void> {
    await until(async () => {
      const { lease, loops } = await this.snapshot();
      return loops.heartbeat && lease.state === 'standby' && lease.candidate;
    });
  }

  /** Every line of its log so far, oldest first. */
  log(): LogLine[] {
    const folder = join(this.root, 'logs');
    return readdirSync(folder)
      .filter((name) => name.startsWith('agent'))
      .flatMap((name) => readFileSync(join(folder, name), 'utf8').split('\n'))
      .flatMap((line) => (parsedOrNull(line) as LogLine | null) ?? [])
      .sort((a, b) => a.time - b.time);
  }

  /** Sends the signal and waits for the end of the process. */
  async end(signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
    const child = this.#child;
    if (child === null || child.exitCode !== null || child.signalCode !== null) return;
    const gone = once(child, 'exit');
    child.kill(signal);
    await gone;
  }
}

function parsedOrNull(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

export class Cluster {
  readonly stack: Stack;
  readonly operatorToken: string;
  readonly #root: string;
  readonly #nodes: TestNode[] = [];

  static async start(vars: Record<string, string> = {}): Promise<Cluster> {
    const root = mkdtempSync(join(tmpdir(), 'conductor-cluster-'));
    const options = { root, port: 0, agentPort: 0, nodeId: 'none', host: 'nowhere', agent: false, vars };
    return new Cluster(await startStack(options, () => undefined), root);
  }

  private constructor(stack: Stack, root: string) {
    this.stack = stack;
    this.#root = root;
    this.operatorToken = readFileSync(stack.layout.operatorFile, 'utf8').trim();
  }

  /** A call as the operator. Fails on an answer that is not a success. */
  async call<T>(method: string, path: string, body?: unknown): Promise<T> {
    const answer = await fetch(`${this.stack.edgeUrl}${path}`, {
      method,
      headers: { authorization: `Bearer ${this.operatorToken}`, 'content-type': 'application/json' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await answer.text();
    if (!answer.ok) throw new Error(`${method} ${path} answered ${answer.status}: ${text}`);
    return (JSON.parse(text) as { data: T }).data;
  }

  /** A node with its token and its proxy; it is not started. */
  async node(id: string, { preferred = false, flags = [] }: NodeOptions = {}): Promise<TestNode> {
    const grant = { role: 'controller', subject: id, controller_id: id };
    const { token } = await this.call<{ token: string }>('POST', '/v1/tokens', grant);
    const proxy = await CutProxy.open(this.stack.edgeUrl);
    const all = [preferred ? '--preferred' : '--no-preferred', ...flags];
    const node = new TestNode(id, join(this.#root, 'nodes', id), token, proxy, all);
    this.#nodes.push(node);
    return node;
  }

  leader(): Promise<LeaseView> {
    return this.call('GET', '/v1/leader');
  }

  /** The whole history of terms, oldest first. */
  async terms(): Promise<LeaderTerm[]> {
    const { items } = await this.call<{ items: LeaderTerm[] }>('GET', '/v1/leader/terms?limit=200');
    return items.reverse();
  }

  /** That term, once it has been granted. */
  term(term: number): Promise<LeaderTerm> {
    return until(async () => (await this.terms()).find((one) => one.term === term));
  }

  async stop(): Promise<void> {
    for (const node of this.#nodes) node.proxy.heal();
    const limit = AbortSignal.timeout(STOP_MS);
    await Promise.race([Promise.all(this.#nodes.map((node) => node.end('SIGTERM'))), once(limit, 'abort')]);
    await Promise.all(this.#nodes.map((node) => node.end('SIGKILL')));
    await Promise.all(this.#nodes.map((node) => node.proxy.close()));
    await this.stack.stop();
    rmSync(this.#root, { recursive: true, force: true });
  }
}

/** Runs `act` with a cluster of its own, which is gone afterwards. `vars` override those of wrangler.toml. */
export async function withCluster(
  act: (cluster: Cluster) => Promise<void>,
  vars: Record<string, string> = {},
): Promise<void> {
  const cluster = await Cluster.start(vars);
  try {
    await act(cluster);
  } finally {
    await cluster.stop();
  }
}
