/** A healthy system as the checks of `doctor` see it: real files in a folder, and a machine, an edge and an agent that a test alters. */
import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { resolveConfig } from '../../local-agent/config/resolve.ts';
import type { SystemRecord } from '../../local-agent/config/system-record.ts';
import type { Severity } from '../../local-agent/doctor/check.ts';
import { CHECKS } from '../../local-agent/doctor/checks.ts';
import type { Machine } from '../../local-agent/doctor/machine.ts';
import { systemMachine } from '../../local-agent/doctor/machine.ts';
import type { CheckReport } from '../../local-agent/doctor/report.ts';
import { runChecks } from '../../local-agent/doctor/run-checks.ts';
import { World } from '../../local-agent/doctor/world.ts';
import type { EdgeClient, EdgeRequest } from '../../local-agent/edge/http-client.ts';
import { EdgeError } from '../../local-agent/edge/http-client.ts';
import { systemClock } from '../../local-agent/lib/clock.ts';
import type { ServiceState } from '../../local-agent/service/state.ts';
import { API_LEVEL } from '../../schema/contracts/common.ts';
import { tempDir } from './temp-dir.ts';

export const NOW = 1_800_000_000_000;
const PRIVATE = { mode: 0o700, recursive: true };
const NODE_TOKEN = 'node-token-of-this-test';
const OPERATOR_TOKEN = 'operator-token-of-this-test';
const MIGRATIONS = readdirSync(new URL('../../schema/migrations', import.meta.url)).filter((name) =>
  name.endsWith('.sql'),
);

export const session = (over: object) => ({
  token_id: 'tok_1',
  subject: 's',
  controller_id: null,
  via: 'token',
  expires_at: null,
  ...over,
});
const token = (over: object) => ({
  token_id: 'tok_1',
  role: 'ops_admin',
  subject: 's',
  controller_id: null,
  created_by: 'b',
  created_at: 1,
  expires_at: null,
  revoked_at: null,
  last_used_at: null,
  ...over,
});
const node = (over: object) => ({
  controller_id: 'mini-main',
  host: 'mini',
  role: 'primary',
  priority: 1,
  status: 'leader',
  version: '1',
  metadata: {},
  started_at: 1,
  last_heartbeat_at: 1,
  created_at: 1,
  presence: { connected: true, contact_age_ms: 1 },
  ...over,
});
const marks = (over: object = {}) => ({ term: 3, mode_version: 2, epoch: 0, ...over });
export const status = (
  over: { holder_id?: string | null; mode?: string; reason?: string; node?: object; nodes?: object[] } = {},
) => ({
  system: {
    mode: over.mode ?? 'running',
    version: 1,
    since: 1,
    requested_by: over.reason === undefined ? null : 'chat',
    reason: over.reason ?? null,
    holder_id: null,
    lease_expires_at: null,
    term: 1,
    drained: false,
  },
  lease: {
    lease_name: 'global',
    holder_id: over.holder_id === undefined ? 'mini-main' : over.holder_id,
    holder_host: 'mini',
    term: 1,
    lease_expires_at: 1,
    renewed_at: 1,
    expires_in_ms: 1,
    preferred_holder_id: null,
    metadata: {},
  },
  nodes: over.nodes ?? [node(over.node ?? {})],
  clients: [],
  renewal: { pending: 0, running: 0, due: 0, next_due_at: null },
  ticks: [],
  recent_messages: [],
  recent_instructions: [],
});
export const health = (over: object = {}) => ({
  version: '1.2.3',
  migrations: MIGRATIONS,
  objects: [{ name: 'LeaderLease', problem: null }],
  fence: { d1: marks(), objects: marks(), is_behind: false },
  overdue: [],
  ...over,
});
export const snapshot = (over: object = {}) => ({
  identity: { pid: 4242, version: '1.2.3' },
  outbox: { pending: 0, refused: [] },
  clients: [{ client_id: 'firefox-1', connected: true, extension_version: '1.2.3' }],
  warnings: [],
  ...over,
});

export const serviceState = (over: Partial<ServiceState> = {}): ServiceState => ({
  manager: 'systemd',
  file: '/home/of-this-test/conductor.service',
  installed: true,
  root: '/r',
  stale: [],
  loaded: { loaded: true, running: true, fails: false, pid: 1, word: 'active' },
  problem: null,
  ...over,
});

export class DoctorScene {
  readonly root = tempDir();
  env: Record<string, string> = { PATH: '/bin' };
  record: SystemRecord | null = {
    edge_url: 'http://127.0.0.1:18787',
    agent_url: 'http://127.0.0.1:14317',
    node_id: 'mini-main',
    pid: 4200,
    began: null,
    version: '1.2.3',
  };
  isRunning = true;
  /** What the edge and the agent respond, by path; an EdgeError is thrown. */
  readonly responses: Record<string, unknown> = {
    [`edge ${OPERATOR_TOKEN} /v1/session`]: session({ role: 'ops_admin' }),
    [`edge ${NODE_TOKEN} /v1/session`]: session({ role: 'controller', controller_id: 'mini-main', token_id: 'tok_2' }),
    [`edge ${OPERATOR_TOKEN} /v1/tokens?limit=200`]: { items: [token({})], next_cursor: null },
    [`edge ${OPERATOR_TOKEN} /v1/system/health`]: health(),
    [`edge ${OPERATOR_TOKEN} /v1/status`]: status(),
    [`agent ${NODE_TOKEN} /v1/status`]: snapshot(),
  };
  /** Replaces what the machine says. */
  machine: Partial<Machine> = {};

  constructor() {
    for (const name of ['state', 'logs', 'runs', 'worktrees', 'tmp', 'edge']) mkdirSync(this.path(name), PRIVATE);
    this.write('edge/bootstrap.token', 'secret-of-this-test\n');
    this.write('state/operator.token', `${OPERATOR_TOKEN}\n`);
    this.write('state/shared.token', `${NODE_TOKEN}\n`);
  }

  path(name: string): string {
    return join(this.root, name);
  }

  write(name: string, text: string): void {
    writeFileSync(this.path(name), text, { mode: 0o600 });
  }

  /** What a route of the edge responds to the operator from now on. */
  edge(path: string, response: unknown): void {
    this.responses[`edge ${OPERATOR_TOKEN} ${path}`] = response;
  }

  edgeForNode(response: unknown): void {
    this.responses[`edge ${NODE_TOKEN} /v1/session`] = response;
  }

  agent(response: unknown): void {
    this.responses[`agent ${NODE_TOKEN} /v1/status`] = response;
  }

  #machine(): Machine {
    return {
      ...systemMachine(this.env, async () => serviceState({ installed: false, loaded: null })),
      home: '/home/of-this-test',
      freeBytes: () => 50 * 1024 ** 3,
      isAlive: ({ pid }) => this.isRunning && pid === this.record?.pid,
      listenerOf: async () => null,
      findProgram: (name) => `/bin/${name}`,
      askProgram: async ([, what]) => ({ code: 0, text: what === '--version' ? 'git version 2.50.1' : '.git' }),
      get: async () => ({ status: 200, date: NOW, level: API_LEVEL, sentAt: NOW, receivedAt: NOW + 5 }),
      findFirefox: () => ({ program: '/bin/firefox-esr', build: { kind: 'esr', version: '140.0', evidence: '' } }),
      readRefused: () => [],
      knownRoots: () => [this.root],
      ...this.machine,
    };
  }

  #connect = (base: string, given: string): EdgeClient => ({
    call: async <T>({ path, schema }: EdgeRequest<T>): Promise<T> => {
      const response = this.responses[`${base.endsWith('14317') ? 'agent' : 'edge'} ${given} ${path}`];
      if (response instanceof Error) throw response;
      if (response === undefined) throw new EdgeError('status', 401, 'unknown_token', 'unknown token');
      return schema.parse(response);
    },
    close: async () => undefined,
  });

  #newWorld(): World {
    if (this.record !== null) this.write('state/system.json', JSON.stringify(this.record));
    const machine = this.#machine();
    const { root, env } = this;
    const resolve = () => {
      try {
        return resolveConfig({ flags: { root }, env, readFile: machine.readFile, isAlive: machine.isAlive });
      } catch (error) {
        return error as Error;
      }
    };
    return new World({
      env,
      version: '1.2.3',
      root,
      resolved: resolve(),
      now: () => NOW,
      machine,
      connect: this.#connect,
    });
  }

  examine({ fix = false } = {}): Promise<CheckReport[]> {
    return runChecks({ checks: CHECKS, newWorld: () => this.#newWorld(), clock: systemClock, fix });
  }

  /** The report of one check. */
  async look(id: string, options?: { fix: boolean }): Promise<CheckReport> {
    const report = (await this.examine(options)).find((one) => one.id === id);
    if (report === undefined) throw new Error(`no check ${id}`);
    return report;
  }
}

/** Which check finds what, with which line that mends it, in a scene that is altered. */
export type DoctorCase = [
  check: string,
  case_: string,
  severity: Severity,
  what: RegExp,
  command: RegExp | null,
  alter: (scene: DoctorScene) => void,
];

/** Lets the machine say something else. */
export const set = (machine: Partial<Machine>) => (scene: DoctorScene) => void Object.assign(scene.machine, machine);

/** A response to a request without a token. */
export const at = (over: object) => async () => ({
  status: 200,
  date: NOW,
  level: API_LEVEL,
  sentAt: NOW,
  receivedAt: NOW,
  ...over,
});

export function stop(scene: DoctorScene): void {
  scene.isRunning = false;
  if (scene.record !== null) scene.record = { ...scene.record, pid: null };
}

/** A further host: its edge is named, and no edge lies below its root. */
export function furtherHost(scene: DoctorScene): void {
  scene.write('config.toml', 'control_api_base = "http://127.0.0.1:18787"\n');
  rmSync(scene.path('edge'), { recursive: true });
}

/** A host whose edge was named at an earlier start only, which the record keeps. */
export function startedAsAgent(scene: DoctorScene): void {
  rmSync(scene.path('edge'), { recursive: true });
}

/** A root from which that Worker was deployed. */
export function deployedFrom(scene: DoctorScene, worker: string): void {
  furtherHost(scene);
  mkdirSync(scene.path('state/deploy'), PRIVATE);
  const deployed = { worker, address: 'http://127.0.0.1:18787', version_id: null, previous_version_id: null };
  scene.write('state/deploy/deployed.json', JSON.stringify(deployed));
}

/** A root that its service runs. */
export const served = set({ serviceOf: async () => serviceState() });
