/** A real system as `npm start` runs it, and the agent of a second node, both built; with what a simulated day asks of them. */
import { spawn } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { text } from 'node:stream/consumers';
import { pathToFileURL } from 'node:url';
import { z } from 'zod';
import { builtFile } from '../../../local-agent/stack/built.js';
import { layoutOf } from '../../../local-agent/stack/layout.ts';
import { SMALL_HEAP } from '../../../local-agent/stack/supervised.ts';
import { CutProxy } from '../../support/cut-proxy.ts';
import type { Cleanup } from '../harness/cleanup.ts';
import { npmStart, stopped } from '../harness/npm-start.ts';

const SECOND = 'second';
/** Programs of chats are echoes; what a person asks for in a task may run. */
const POLICY = {
  exec: { default: 'ask', rules: [{ match: { argv: ['echo', '<words>'] }, decision: 'allow' }], shell: 'ask' },
  tools: { 'files/write': 'allow' },
};

export interface DayNode {
  id: string;
  token: string;
  localApi: string;
  root: string;
}

const SnapshotSchema = z.looseObject({ local_api: z.string() });

export class DaySystem {
  readonly edgeUrl: string;
  readonly nodes: readonly [DayNode, DayNode];
  /** Of the supervisor, and of the second agent. */
  readonly pids: readonly [number, number];
  /** Between the second agent and the edge. */
  readonly proxy: CutProxy;
  readonly #operator: string;
  readonly #control: string;

  private constructor(of: Pick<DaySystem, 'edgeUrl' | 'nodes' | 'pids' | 'proxy'>, operator: string, control: string) {
    this.edgeUrl = of.edgeUrl;
    this.nodes = of.nodes;
    this.pids = of.pids;
    this.proxy = of.proxy;
    this.#operator = operator;
    this.#control = control;
  }

  /** `env`: settings of both agents and of the edge. */
  static async start(cleanup: Cleanup, env: Record<string, string>): Promise<DaySystem> {
    const folder = cleanup.folder();
    const [root, second] = ['first', SECOND].map((name) => join(folder, name)) as [string, string];
    for (const one of [root, second]) {
      mkdirSync(join(one, 'workspace'), { recursive: true, mode: 0o700 });
      writeFileSync(join(one, 'policy.json'), JSON.stringify(POLICY), { mode: 0o600 });
    }
    const control = { NODE_OPTIONS: `--import ${import.meta.resolve('./control.js')}`, BENCH_DAY_CONTROL: folder };
    const system = await npmStart(cleanup, root, { ...env, ...control });
    const { operatorFile, nodeTokenFile } = layoutOf(root);
    const operator = readFileSync(operatorFile, 'utf8').trim();
    const grant = { role: 'controller', subject: SECOND, controller_id: SECOND };
    const token = z
      .object({ token: z.string() })
      .parse(await called(system.edge_url, operator, 'POST', '/v1/tokens', grant)).token;
    const proxy = cleanup.add(await CutProxy.open(system.edge_url), (open) => open.close());
    const more = { ...env, ...control, BENCH_DAY_NODE: SECOND };
    const agent = await startAgent(cleanup, second, {
      ...more,
      BAA_CONTROL_API_BASE: proxy.url,
      BAA_SHARED_TOKEN: token,
    });
    const first = {
      id: system.controller_id,
      token: readFileSync(nodeTokenFile, 'utf8').trim(),
      localApi: system.agent_url,
      root,
    };
    const nodes = [first, { id: SECOND, token, localApi: agent.localApi, root: second }] as const;
    return new DaySystem({ edgeUrl: system.edge_url, nodes, pids: [system.pid, agent.pid], proxy }, operator, folder);
  }

  /** A call as the operator. Rejects when it is not answered with success. */
  call(method: string, path: string, body?: object): Promise<unknown> {
    return called(this.edgeUrl, this.#operator, method, path, body);
  }

  /** A call to the local API of a node. */
  local(node: DayNode, method: string, path: string, body?: object): Promise<unknown> {
    return called(node.localApi, node.token, method, path, body);
  }

  /** The stream of events, as a page that stays open has it: reads until it ends or `signal` fires. */
  async readEvents(signal: AbortSignal): Promise<void> {
    const headers = { authorization: `Bearer ${this.#operator}` };
    const { body } = await fetch(`${this.edgeUrl}/v1/events`, { headers, signal });
    if (body !== null) for await (const _chunk of body);
  }

  /** The edge's cron fires now. */
  async cron(): Promise<void> {
    const outcome = await this.#ask('edge', 'cron');
    if (outcome !== 'ok') throw new Error(`the cron ended with ${outcome}`);
  }

  /** Megabytes that a process has in use after a collection. */
  async liveHeapMb(part: 'supervisor' | 'edge' | 'agent' | 'secondagent'): Promise<number> {
    return Number(await this.#ask(part, 'heap')) / 1_000_000;
  }

  async #ask(part: string, what: string): Promise<string> {
    const socket = connect(join(this.#control, `${part}.sock`));
    socket.write(what);
    return text(socket);
  }
}

async function called(url: string, token: string, method: string, path: string, body?: object): Promise<unknown> {
  const response = await fetch(`${url}${path}`, {
    method,
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });
  const answered = await response.text();
  if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${answered}`);
  return z.object({ data: z.unknown() }).parse(JSON.parse(answered)).data;
}

async function startAgent(cleanup: Cleanup, root: string, env: Record<string, string>) {
  const args = ['--import', pathToFileURL(builtFile('end-with-parent')).href, builtFile('agent'), 'start', '--json'];
  const own = {
    BAA_ROOT: root,
    BAA_NODE_ID: SECOND,
    BAA_CONDUCTOR_HOST: SECOND,
    BAA_CONDUCTOR_LOCAL_API: 'http://127.0.0.1:0',
  };
  const child = spawn(process.execPath, args, {
    env: { PATH: process.env.PATH, HOME: root, ...SMALL_HEAP, ...own, ...env },
    stdio: ['ignore', 'pipe', 'inherit', 'ipc'],
  });
  const { pid = 0 } = cleanup.add(child, stopped);
  if (child.stdout === null) throw new Error('the second agent has no output');
  let printed = '';
  for await (const line of createInterface({ input: child.stdout })) {
    printed += `${line}\n`;
    if (line.endsWith('}')) {
      const snapshot = SnapshotSchema.safeParse(JSON.parse(printed));
      if (snapshot.success) return { pid, localApi: snapshot.data.local_api };
    }
  }
  throw new Error(`the second agent ended at its start: ${printed}`);
}
