/** Tasks around a small conductor: created by a person, claimed and reported by nodes. */
import type { ClaimedRun, NoRunReason, Run } from '../../../schema/contracts/runs.ts';
import type { TaskCreated, TaskDetail } from '../../../schema/contracts/tasks.ts';
import { Conductor, OTHER_NODE } from '../support/conductor.ts';
import { NODE } from '../support/edge.ts';

export const SHELL = { kind: 'shell', name: 'say hello', input: { argv: ['echo', 'hello'] } };

type Claim = ClaimedRun | { run: null; reason: NoRunReason };

export class Tasks extends Conductor {
  #claims = 0;
  term = 0;

  /** NODE leads, and both nodes have registered. */
  async start(): Promise<this> {
    for (const [nodeId, host] of [
      [NODE, 'mini'],
      [OTHER_NODE, 'vps'],
    ] as const) {
      await this.act('/v1/controllers/heartbeat', { host, role: 'primary', priority: 50, status: 'standby' }, nodeId);
    }
    await this.leads(NODE);
    return this;
  }

  async leads(nodeId: string): Promise<void> {
    const { term } = await this.act<{ term: number }>('/v1/leader/acquire', { host: 'a-host', ttl_sec: 300 }, nodeId);
    this.term = term;
  }

  create(more: Record<string, unknown> = {}): Promise<TaskCreated> {
    const body = { task_type: 'shell', title: 'a task', goal: 'say hello', steps: [SHELL], ...more };
    return this.edge.data<TaskCreated>('POST', '/v1/tasks', { body });
  }

  async detail(taskId: string): Promise<TaskDetail> {
    return this.edge.data<TaskDetail>('GET', `/v1/tasks/${taskId}`);
  }

  /** The task's status, and those of its steps. */
  async statuses(taskId: string): Promise<string> {
    const { status, steps } = await this.detail(taskId);
    return [status, ...steps.map((step) => step.status)].join(' ');
  }

  claim(more: Record<string, unknown> = {}, nodeId: string = NODE): Promise<Claim> {
    this.#claims += 1;
    const body = { claim_key: `claim-${this.#claims}`, term: this.term, repos: [], executors: ['shell'], ...more };
    return this.act<Claim>('/v1/tasks/claim', body, nodeId);
  }

  /** The run of a claim. Throws when there is none. */
  async claimed(more: Record<string, unknown> = {}, nodeId: string = NODE): Promise<ClaimedRun> {
    const claim = await this.claim(more, nodeId);
    if ('run' in claim) throw new Error(`no run was claimed: ${claim.reason}`);
    return claim;
  }

  /** A report of the run's node, which names no node in its body. */
  async report<T>(
    run: ClaimedRun,
    what: string,
    body: Record<string, unknown> = {},
    nodeId: string = NODE,
  ): Promise<T> {
    const token = await this.token(nodeId);
    const { step_id, run_id } = run;
    return this.edge.data<T>('POST', `/v1/steps/${step_id}/${what}`, { token, body: { run_id, ...body } });
  }

  /** The error of a report. */
  async refused(run: ClaimedRun, what: string, body: Record<string, unknown> = {}, nodeId: string = NODE) {
    const token = await this.token(nodeId);
    const { step_id, run_id } = run;
    return this.edge.error('POST', `/v1/steps/${step_id}/${what}`, { token, body: { run_id, ...body } });
  }

  complete(run: ClaimedRun, more: Record<string, unknown> = {}, nodeId: string = NODE) {
    return this.report<Run>(run, 'complete', { exit_code: 0, ...more }, nodeId);
  }

  fail(run: ClaimedRun, more: Record<string, unknown> = {}, nodeId: string = NODE) {
    return this.report<Run>(run, 'fail', { status: 'failed', error_code: 'exit_code', exit_code: 1, ...more }, nodeId);
  }

  heartbeat(run: ClaimedRun, more: Record<string, unknown> = {}, nodeId: string = NODE) {
    return this.report<{ status: string; deadline_in_ms: number; cancel: boolean; hand_over: boolean }>(
      run,
      'heartbeat',
      { checkpoint_seq: 0, ...more },
      nodeId,
    );
  }

  /** Text of a stream, from that byte on. */
  logs(run: ClaimedRun, stream: 'stdout' | 'stderr' | 'lifecycle', offset: number, text: string) {
    const data = btoa(text);
    return this.report<{ received: Record<string, number> }>(run, 'logs', { chunks: [{ stream, offset, data }] });
  }
}
