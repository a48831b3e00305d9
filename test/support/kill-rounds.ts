/**
 * Tasks on two hosts with the real edge, while processes are killed: agent, runner and child of a step, all of these together,
 * and the edge. The steps themselves write down what they do, into one file for each task, so that the file says in which
 * order the runs of the task have worked.
 */
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { KnownProcess } from '../../local-agent/host/process-start.ts';
import { stillRuns } from '../../local-agent/host/process-start.ts';
import { readIdentity } from '../../local-agent/runner/identity.ts';
import { giveUpFolder } from '../../local-agent/runner/start-runner.ts';
import { listRunFolders } from '../../local-agent/runs/run-folder.ts';
import { runFolderPath } from '../../local-agent/runs/run-paths.ts';
import type { RunStateFile } from '../../schema/contracts/run-files.ts';
import { RunStateFileSchema } from '../../schema/contracts/run-files.ts';
import type { Run } from '../../schema/contracts/runs.ts';
import type { TaskDetail } from '../../schema/contracts/tasks.ts';
import type { Random } from '../fuzz/random.ts';
import type { Cluster, TestNode } from './cluster.ts';
import { until } from './cluster.ts';

export const KILLS = ['agent', 'runner', 'child', 'all', 'edge'] as const;
export type Kill = (typeof KILLS)[number];

const PLURAL = { runner: 'runners', child: 'children' };
const LINE_SECONDS = 0.1;
const TAKEOVER_MS = 60_000;
const ENDED = ['done', 'failed', 'canceled', 'blocked'];

export interface KilledTask {
  task_id: string;
  /** Where its steps write down what they do. */
  journal: string;
}

/**
 * Numbered lines into the log and into the journal, and beside them a process in a session of its own, which outlives the
 * step until someone ends it. `again`: the lines of any further run of the task.
 */
function script(journal: string, lines: number, again: number): string {
  return `echo "$BAA_RUN_ID begins as $$ in $PWD" >> ${journal}
lines=${lines}; [ "$(grep -c begins ${journal})" -gt 1 ] && lines=${again}
setsid sh -c 'while :; do echo "$BAA_RUN_ID beside" >> ${journal}; sleep ${2 * LINE_SECONDS}; done' > /dev/null 2>&1 &
i=0
while [ $i -lt $lines ]; do i=$((i+1)); echo "line-$i"; echo "$BAA_RUN_ID line-$i" >> ${journal}; sleep ${LINE_SECONDS}; done
echo "$BAA_RUN_ID ends" >> ${journal}`;
}

export class KillRounds {
  readonly counts = new Map<string, number>();
  readonly #cluster: Cluster;
  readonly #hosts: readonly TestNode[];
  readonly #random: Random;
  #tasks = 0;

  constructor(cluster: Cluster, hosts: readonly TestNode[], random: Random) {
    this.#cluster = cluster;
    this.#hosts = hosts;
    this.#random = random;
  }

  count(what: string, by = 1): void {
    this.counts.set(what, (this.counts.get(what) ?? 0) + by);
  }

  /** A task with a step for each number of lines; `again`: how many lines a further run of the task prints. */
  async create(lines: readonly number[], { host, again }: { host?: string; again?: number } = {}): Promise<KilledTask> {
    this.#tasks += 1;
    const journal = join(this.#cluster.stack.layout.root, `journal-${this.#tasks}`);
    const { task_id } = await this.#cluster.call<{ task_id: string }>('POST', '/v1/tasks', {
      task_type: 'shell',
      title: 'under kills',
      goal: 'Under kills.',
      constraints: { takeover_after_ms: TAKEOVER_MS, ...(host === undefined ? {} : { target_host: host }) },
      steps: lines.map((count, n) => ({
        kind: 'shell',
        name: `step ${n + 1}`,
        input: { script: script(journal, count, again ?? count) },
        max_attempts: 20,
      })),
    });
    return { task_id, journal };
  }

  /** Null while the edge is away. */
  detail({ task_id }: KilledTask): Promise<TaskDetail | null> {
    return this.#cluster.call<TaskDetail>('GET', `/v1/tasks/${task_id}`).catch(() => null);
  }

  ended(task: KilledTask): Promise<TaskDetail> {
    return until(async () => {
      const found = await this.detail(task);
      return found !== null && ENDED.includes(found.status) ? found : null;
    });
  }

  /** Its run on a host, once one has begun to work. */
  working(task: KilledTask): Promise<Run> {
    return until(async () => {
      const run = (await this.detail(task))?.runs.find(({ status }) => status === 'running');
      return run !== undefined && this.journal(task).some(({ runId }) => runId === run.run_id) ? run : null;
    });
  }

  /** A task whose running step is handed over. It is addressed to no host, so that another one may have it. */
  async handedOver(): Promise<KilledTask> {
    const task = await this.create([40]);
    await this.working(task);
    await this.#cluster.call('POST', `/v1/tasks/${task.task_id}/hand-over`, {});
    this.count('hand-overs');
    return task;
  }

  /**
   * Kills at a random moment of a step, and starts again what does not start by itself. Adds a task when all have ended, so
   * that a kill meets a step.
   */
  async kill(kind: Kill, tasks: KilledTask[]): Promise<void> {
    await delay(this.#random.below(1_500));
    await this.#untilBusy(tasks);
    const busy = this.#hosts.filter((one) => this.#living('child', [one]).length > 0);
    const host = this.#random.pick(busy.length > 0 ? busy : this.#hosts);
    switch (kind) {
      case 'agent':
        await this.#killHost(host, []);
        return this.start(host);
      case 'runner':
      case 'child':
        return this.#killOne(kind);
      case 'edge':
        return this.#killEdge();
      default:
        return this.#killAll(this.#random.chance(0.5) ? this.#hosts : [host]);
    }
  }

  /** SIGKILL to the agent and nothing else. */
  async killAgent(host: TestNode): Promise<void> {
    await this.#killHost(host, []);
  }

  /** As a service manager does: until it runs. */
  async start(host: TestNode): Promise<void> {
    await until(() =>
      host.start().then(
        () => true,
        () => false,
      ),
    );
  }

  /** Ends all that a failed test would leave: agents, and what runs of their runs. */
  async endAll(): Promise<void> {
    await Promise.all(this.#hosts.map((host) => host.end('SIGKILL')));
    await Promise.all(this.#folders().map((folder) => giveUpFolder(folder, basename(folder))));
  }

  /** What `state.json` says. @throws when it is not whole */
  state(folder: string): RunStateFile {
    return RunStateFileSchema.parse(JSON.parse(readFileSync(join(folder, 'state.json'), 'utf8')));
  }

  /** The folder of a run on the host that has it; null where no host has begun to prepare it. */
  folderOf(run: Run): string | null {
    const host = this.#hosts.find(({ id }) => id === run.controller_id);
    const folder = runFolderPath(join(host?.root ?? '', 'runs'), run);
    return existsSync(folder) ? folder : null;
  }

  async log({ run_id }: Run, stream: 'stdout' | 'lifecycle'): Promise<string> {
    const headers = { authorization: `Bearer ${this.#cluster.operatorToken}` };
    const url = `${this.#cluster.stack.edgeUrl}/v1/runs/${run_id}/logs?stream=${stream}`;
    const response = await fetch(url, { headers });
    if (!response.ok) throw new Error(`${url} answered ${response.status}`);
    return response.text();
  }

  /** What the runs of a task have written down, in the order in which they wrote. */
  journal({ journal }: KilledTask): { runId: string; did: string }[] {
    if (!existsSync(journal)) return [];
    const lines = readFileSync(journal, 'utf8').split('\n').slice(0, -1);
    return lines.map((line) => {
      const [runId = '', ...did] = line.split(' ');
      return { runId, did: did.join(' ') };
    });
  }

  /** Every state of every run on every host, right after a kill. */
  #readStates(): void {
    for (const folder of this.#folders()) this.state(folder);
  }

  #folders(hosts: readonly TestNode[] = this.#hosts): string[] {
    return hosts.flatMap(({ root }) => {
      const runsDir = join(root, 'runs');
      return existsSync(runsDir) ? listRunFolders(runsDir).map((ids) => runFolderPath(runsDir, ids)) : [];
    });
  }

  /** The living runners, or children, of the runs of these hosts. */
  #living(role: 'runner' | 'child', hosts?: readonly TestNode[]): KnownProcess[] {
    const known = this.#folders(hosts).map((folder) => readIdentity(folder)?.[role] ?? null);
    return known.filter((one) => one !== null).filter((one) => stillRuns(one));
  }

  #killNow({ pid }: KnownProcess, what: string): void {
    try {
      process.kill(pid, 'SIGKILL');
      this.count(what);
    } catch {
      // It has ended meanwhile.
    }
  }

  async #untilBusy(tasks: KilledTask[]): Promise<void> {
    while (this.#living('child').length === 0) {
      const found = await Promise.all(tasks.map((task) => this.detail(task)));
      if (found.every((task) => task !== null && ENDED.includes(task.status))) tasks.push(await this.create([40]));
      await delay(100);
    }
  }

  async #killOne(role: 'runner' | 'child'): Promise<void> {
    const living = this.#living(role);
    if (living.length > 0) this.#killNow(this.#random.pick(living), PLURAL[role]);
    this.#readStates();
  }

  async #killAll(hosts: readonly TestNode[]): Promise<void> {
    const withEdge = hosts.length > 1 ? this.#killEdge() : null;
    await Promise.all(hosts.map((host) => this.#killHost(host, ['runner', 'child'])));
    this.count('all together');
    await withEdge;
    await Promise.all(hosts.map((host) => this.start(host)));
  }

  async #killHost(host: TestNode, roles: readonly ('runner' | 'child')[]): Promise<void> {
    const gone = host.end('SIGKILL');
    for (const role of roles) for (const known of this.#living(role, [host])) this.#killNow(known, PLURAL[role]);
    await gone;
    this.count('agents');
    this.#readStates();
  }

  async #killEdge(): Promise<void> {
    const { edge, edgeUrl } = this.#cluster.stack;
    if (edge.pid === null) return;
    const died = once(edge, 'died');
    edge.kill();
    await died;
    this.count('edges');
    await until(async () => {
      const response = await fetch(`${edgeUrl}/healthz`).catch(() => null);
      await response?.body?.cancel();
      return response?.ok;
    });
  }
}
