/**
 * All runs of this node: it claims steps, keeps their claims, continues what an earlier agent had begun, and gives runs up
 * when it is asked to. A stop of the agent ends none of them.
 */

import { z } from 'zod';
import { CheckpointStoredSchema, RunEndResponseSchema, RunLogsResponseSchema } from '../../schema/contracts/runs.ts';
import { NODE_RUNS } from '../../schema/defaults.ts';
import type { CommandHandlers } from '../edge/commands.ts';
import { reportCommandResult } from '../edge/commands.ts';
import type { ResponseHandler } from '../edge/response-handlers.ts';
import { responseHandler } from '../edge/response-handlers.ts';
import { failed } from '../executors/executor.ts';
import { executorNames } from '../executors/registry.ts';
import type { StopRequest } from '../runner/limits.ts';
import { removeUnfinished } from '../runs/run-folder.ts';
import { presentRepos } from '../worktrees/task-folder.ts';
import { Claims } from './claims.ts';
import { Cleaning } from './cleaning.ts';
import { Heartbeats, isStale } from './heartbeats.ts';
import type { RunsHost } from './host.ts';
import { LiveRun } from './live-run.ts';
import { endReport, REPORT_KINDS } from './reports.ts';
import type { StoredRun } from './run-store.ts';
import { endUnknownRun, unknownRuns } from './unknown-runs.ts';

const ContextSchema = z.object({ run_id: z.string() });

export interface NodeRunsDeps {
  host: RunsHost;
  term: () => number | null;
  mayClaim: () => boolean;
  onClaimResponse: (isDraining: boolean) => void;
  newKey: () => string;
}

export class NodeRuns {
  readonly responseHandlers: Record<string, ResponseHandler>;
  readonly commands: Pick<CommandHandlers, 'step.offer' | 'step.cancel'>;
  readonly #host: RunsHost;
  readonly #claims: Claims;
  readonly #heartbeats: Heartbeats;
  readonly #cleaning: Cleaning;
  readonly #live = new Map<string, LiveRun>();

  constructor(deps: NodeRunsDeps) {
    const { host } = deps;
    this.#host = host;
    this.#heartbeats = new Heartbeats(host, (run) => this.#endStale(run));
    this.#cleaning = new Cleaning(host);
    this.#claims = new Claims({
      ...deps,
      offers: () => ({ repos: presentRepos(host.repos), executors: executorNames(host.agents) }),
      room: () => NODE_RUNS.max_at_once - this.#live.size,
      onResponse: deps.onClaimResponse,
      onRun: (runId) => this.#open(runId, { isNew: true }),
    });
    this.responseHandlers = this.#makeResponseHandlers();
    this.commands = {
      'step.offer': ({ command_id }) => {
        reportCommandResult(host.store, host.nodeId, command_id, { outcome: 'noted' });
        return { accepted: true, afterCommit: () => this.#claims.wake() };
      },
      'step.cancel': ({ command_id, body: { run_id, reason } }) => {
        const outcome = this.#live.has(run_id) ? 'noted' : 'unknown';
        reportCommandResult(host.store, host.nodeId, command_id, { outcome });
        const stop: StopRequest = reason === 'hand_over' ? 'handed_over' : 'canceled';
        return { accepted: true, afterCommit: () => this.stopRun(run_id, stop) };
      },
    };
  }

  /** Continues or ends what an earlier agent had begun. Returns how many runs that were. */
  recover(): number {
    removeUnfinished(this.#host.runsDir);
    const unknown = unknownRuns(this.#host);
    for (const ids of unknown) {
      void endUnknownRun(ids, this.#host).catch((error) => {
        this.#host.log.error({ error, ...ids }, 'a run without a record could not be ended');
      });
    }
    const open = this.#host.runs.open();
    for (const { run_id } of open) this.#open(run_id, { isNew: false });
    return open.length + unknown.length;
  }

  start(): void {
    this.#cleaning.start();
    this.#claims.start();
  }

  /** Asks for work now. */
  wake(): void {
    this.#claims.wake();
  }

  /** Claims nothing more, and leaves the runs to their runners. */
  stop(): void {
    this.#cleaning.stop();
    this.#claims.stop();
    this.#heartbeats.stop();
    for (const run of this.#live.values()) run.leave();
  }

  /** Ends a run that this node has under way. */
  stopRun(runId: string, reason: StopRequest): void {
    this.#live.get(runId)?.stop(reason);
  }

  #open(runId: string, { isNew }: { isNew: boolean }): void {
    const stored = this.#host.runs.find(runId);
    if (stored === null || this.#live.has(runId)) return;
    try {
      const run = new LiveRun(stored, this.#host, (one) => this.#heartbeats.beat(one, stored.claim.step_id));
      this.#live.set(runId, run);
      if (stored.claim.cancel) run.stop('canceled');
      void this.#work(run, stored.claim.step_id, isNew);
    } catch (error) {
      this.#host.log.error({ error, run_id: runId }, 'the folder of a run cannot be made');
      this.#failUnopened(stored, error instanceof Error ? error.message : String(error));
    }
  }

  /** Without a folder nothing has started; an end that is stored already is on its way. */
  #failUnopened({ run_id, stage, claim }: StoredRun, why: string): void {
    const { store, runs } = this.#host;
    if (stage !== 'claimed') return;
    const verdict = failed('run_folder_failed', `the folder of the run cannot be made: ${why}`);
    const end = { verdict, exit_code: null, signal: null, usage: null, session_id: null };
    store.transaction(() => {
      store.outbox.append(endReport({ run_id, step_id: claim.step_id }, end));
      runs.move(run_id, 'ended');
    });
  }

  #endStale(run: LiveRun): void {
    this.#host.log.warn({ run_id: run.runId }, 'another run has taken the step over: this one ends');
    this.#heartbeats.release(run.runId);
    run.becameStale();
    this.#afterWork(run.runId);
  }

  /** A run of an earlier agent may have been taken over: the edge says so before anything of it is judged or reported. */
  async #work(run: LiveRun, stepId: string, isNew: boolean): Promise<void> {
    await this.#heartbeats.keep(run, stepId, { isNew });
    await run.work();
    this.#afterWork(run.runId);
  }

  #afterWork(runId: string): void {
    if (this.#host.runs.find(runId)?.stage === 'reported') this.#close(runId);
  }

  #close(runId: string): void {
    this.#heartbeats.release(runId);
    if (this.#live.delete(runId)) this.#claims.wake();
  }

  /** The edge has the end of a run, or refuses it because the step is another run's. */
  #reported(runId: string, isTaskDone: boolean): () => void {
    const run = this.#host.runs.find(runId);
    if (run?.stage === 'ended') this.#host.runs.move(runId, 'reported');
    return () => {
      if (run !== null && isTaskDone) void this.#cleaning.removeFolder(run.task_id, run.claim.worktree.repo);
      this.#close(runId);
    };
  }

  #makeResponseHandlers(): Record<string, ResponseHandler> {
    const onRefusal: NonNullable<ResponseHandler['onRefusal']> = ({ code }, { context }) => {
      const { run_id } = ContextSchema.parse(context);
      const run = this.#live.get(run_id);
      return isStale(code) && run !== undefined ? () => this.#endStale(run) : undefined;
    };
    const nothing = () => undefined;
    return {
      [REPORT_KINDS.logs]: responseHandler({ schema: RunLogsResponseSchema, onResponse: nothing, onRefusal }),
      [REPORT_KINDS.checkpoint]: responseHandler({ schema: CheckpointStoredSchema, onResponse: nothing, onRefusal }),
      [REPORT_KINDS.end]: responseHandler({
        schema: RunEndResponseSchema,
        onResponse: ({ task_status }, { context }) =>
          this.#reported(ContextSchema.parse(context).run_id, task_status === 'done'),
        onRefusal: (_refusal, { context }) => this.#reported(ContextSchema.parse(context).run_id, false),
      }),
    };
  }
}
