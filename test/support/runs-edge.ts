/** The routes of runs at a fake edge: it gives out claims, and keeps what nodes report, as the contracts say. */
import type { ClaimedRun } from '../../schema/contracts/runs.ts';
import {
  CheckpointBodySchema,
  ClaimBodySchema,
  RunCompleteBodySchema,
  RunFailBodySchema,
  RunHeartbeatBodySchema,
  RunLogsBodySchema,
} from '../../schema/contracts/runs.ts';
import { executorOf } from '../../schema/contracts/step-inputs.ts';
import { needsText, widestScope } from '../../schema/domain/task-claim.ts';
import type { FakeEdge, Response, SeenRequest } from './fake-edge.ts';

type Stream = 'stdout' | 'stderr' | 'lifecycle';
type Checkpoint = ReturnType<typeof CheckpointBodySchema.parse>;

/** What the edge has of one run. */
export class ReportedRun {
  readonly logs: Record<Stream, Buffer> = {
    stdout: Buffer.alloc(0),
    stderr: Buffer.alloc(0),
    lifecycle: Buffer.alloc(0),
  };
  /** With what its node left out. */
  readonly received: Record<Stream, number> = { stdout: 0, stderr: 0, lifecycle: 0 };
  readonly checkpoints: Checkpoint[] = [];
  readonly heartbeats: ReturnType<typeof RunHeartbeatBodySchema.parse>[] = [];
  end: (Record<string, unknown> & { status: string }) | null = null;
  cancel = false;
  hand_over = false;
  isStale = false;

  text(stream: Stream): string {
    return this.logs[stream].toString('utf8');
  }
}

export class RunsEdge {
  readonly runs = new Map<string, ReportedRun>();
  readonly waiting: ClaimedRun[] = [];
  readonly claims: ReturnType<typeof ClaimBodySchema.parse>[] = [];
  readonly #given = new Map<string, ClaimedRun>();
  readonly #responses = new Map<string, Response>();
  deadlineMs = 1_200_000;
  /** Of the task of each run that ends. */
  taskStatus = 'running';

  constructor(edge: FakeEdge) {
    edge.on('POST', /^\/v1\/tasks\/claim$/, ({ body }) => this.#claim(ClaimBodySchema.parse(body)));
    edge.on('POST', /^\/v1\/steps\/[^/]+\/heartbeat$/, (request) => this.#heartbeat(request));
    for (const route of ['logs', 'checkpoint', 'complete', 'fail']) {
      edge.on('POST', new RegExp(`^/v1/steps/[^/]+/${route}$`), (request) => this.#once(request, route));
    }
    edge.on('GET', /^\/v1\/runs\/[^/]+\/checkpoints\/\d+$/, ({ path }) => this.#checkpoint(path));
  }

  run(runId: string): ReportedRun {
    const found = this.runs.get(runId) ?? new ReportedRun();
    this.runs.set(runId, found);
    return found;
  }

  #claim(body: ReturnType<typeof ClaimBodySchema.parse>): Response {
    this.claims.push(body);
    const run = this.#given.get(body.claim_key) ?? this.#takeFor(body);
    if (run === undefined) return { data: { run: null, reason: 'nothing_to_claim' } };
    this.#given.set(body.claim_key, run);
    this.run(run.run_id);
    return { data: run };
  }

  /** The oldest step for which the node has all that it needs. */
  #takeFor(body: ReturnType<typeof ClaimBodySchema.parse>): ClaimedRun | undefined {
    const { needs } = widestScope(body);
    const at = this.waiting.findIndex((step) => needs.includes(needsText(step.worktree.repo, executorOf(step))));
    return at < 0 ? undefined : this.waiting.splice(at, 1)[0];
  }

  #heartbeat({ body }: SeenRequest): Response {
    const beat = RunHeartbeatBodySchema.parse(body);
    const run = this.run(beat.run_id);
    if (run.isStale) return { error: 'stale_run' };
    run.heartbeats.push(beat);
    const { cancel, hand_over } = run;
    return {
      data: { status: 'running', deadline_in_ms: this.deadlineMs, cancel, hand_over, mode: 'running', mode_version: 1 },
    };
  }

  /** The same key gets the same response. */
  #once(request: SeenRequest, route: string): Response {
    const key = String(request.headers['idempotency-key']);
    const found = this.#responses.get(key);
    if (found !== undefined) return found;
    const response = this.#report(route, request.body);
    this.#responses.set(key, response);
    return response;
  }

  #report(route: string, body: unknown): Response {
    const { run_id } = body as { run_id: string };
    const run = this.run(run_id);
    if (run.isStale) return { error: 'stale_run' };
    if (run.end !== null) return { error: 'already_finished' };
    if (route === 'logs') return this.#logs(run, RunLogsBodySchema.parse(body));
    if (route === 'checkpoint') {
      const checkpoint = CheckpointBodySchema.parse(body);
      run.checkpoints.push(checkpoint);
      return { data: { run_id, checkpoint_seq: checkpoint.seq } };
    }
    if (route === 'complete') run.end = { status: 'succeeded', ...RunCompleteBodySchema.parse(body) };
    else run.end = RunFailBodySchema.parse(body);
    return { data: { run_id, status: run.end.status, step_status: 'done', task_status: this.taskStatus } };
  }

  #logs(run: ReportedRun, { run_id, chunks }: ReturnType<typeof RunLogsBodySchema.parse>): Response {
    for (const { stream, offset, data, skips } of chunks) {
      if (offset < run.received[stream] || (offset > run.received[stream] && !skips)) return { error: 'conflict' };
      run.received[stream] = offset + Buffer.from(data, 'base64').length;
      run.logs[stream] = Buffer.concat([run.logs[stream], Buffer.from(data, 'base64')]);
    }
    const { stdout, stderr, lifecycle } = run.logs;
    return {
      data: { run_id, received: { stdout: stdout.length, stderr: stderr.length, lifecycle: lifecycle.length } },
    };
  }

  #checkpoint(path: string): Response {
    const [, runId = '', seq = ''] = /runs\/([^/]+)\/checkpoints\/(\d+)/.exec(path) ?? [];
    const found = this.run(runId).checkpoints.find((one) => one.seq === Number(seq));
    if (found === undefined) return { error: 'checkpoint_not_found' };
    return { data: { step_id: 's', created_at: 1, ...found, content: found.content ?? null } };
  }
}
