/**
 * All runs of this node: it claims steps, keeps their claims, continues what an earlier agent had begun, and gives runs up
 * when it is asked to. A stop of the agent ends none of them.
 */

import { z } from 'zod';
import { CheckpointStoredSchema, RunEndResponseSchema, RunLogsResponseSchema } from '../../schema/contracts/runs.ts';
import { TaskStatusSchema } from '../../schema/contracts/tasks.ts';
import { NODE_RUNS } from '../../schema/defaults.ts';
import { isEndedTask } from '../../schema/domain/task-machine.ts';
import type { CommandHandlers } from '../edge/commands.ts';
import { reportCommandResult } from '../edge/commands.ts';
import type { ResponseHandler } from '../edge/response-handlers.ts';
import { responseHandler } from '../edge/response-handlers.ts';
import { failed } from '../executors/executor.ts';
import { executorNames } from '../executors/registry.ts';
import type { StopRequest } from '../runner/limits.ts';
import { giveUpFolder } from '../runner/start-runner.ts';
import { runFolderPath } from '../runs/run-paths.ts';
import { endGitOf } from '../worktrees/git-command.ts';
import { Claims } from './claims.ts';
import type { UsedTask } from './cleaning.ts';
import { Cleaning } from './cleaning.ts';
import { Heartbeats, isStale } from './heartbeats.ts';
import type { RunsHost } from './host.ts';
import { LiveRun } from './live-run.ts';
import { NamedRepos } from './named-repos.ts';
import { endReport, REPORT_KINDS } from './reports.ts';
import type { StoredRun } from './run-store.ts';
import { endUnknownRuns } from './unknown-runs.ts';
import { untilStored } from './until-stored.ts';

const ContextSchema = z.object({ run_id: z.string() });

/** `status`: of the task, as the edge said with the end of the run; null when it did not. */
function usedTask({ task_id, claim }: StoredRun, status: string | null): UsedTask {
  const known = TaskStatusSchema.safeParse(status);
  const hasEnded = known.success && isEndedTask(known.data);
  return { task_id, repo: claim.worktree.repo, isDone: status === 'done', hasEnded };
}

export interface NodeRunsDeps {
  host: RunsHost;
  term: () => number | null;
  mayClaim: () => boolean;
  onClaimResponse: (isDraining: boolean) => void;
  /** Whether the channel to the edge is open. */
  isOffered: () => boolean;
  newKey: () => string;
}

export class NodeRuns {
  readonly responseHandlers: Record<string, ResponseHandler>;
  readonly commands: Pick<CommandHandlers, 'step.offer' | 'step.cancel'>;
  readonly #host: RunsHost;
  readonly #claims: Claims;
  readonly #repos: NamedRepos;
  readonly #heartbeats: Heartbeats;
  readonly #cleaning: Cleaning;
  readonly #live = new Map<string, LiveRun>();
  readonly #left = new AbortController();

  constructor(deps: NodeRunsDeps) {
    const { host } = deps;
    this.#host = host;
    this.#heartbeats = new Heartbeats(host, (run) => this.#endStale(run));
    this.#cleaning = new Cleaning(host);
    this.#repos = new NamedRepos(host, () => this.#claims.wake());
    this.#claims = new Claims({
      ...deps,
      offers: () => ({ repos: this.#repos.look(), executors: executorNames(host.agents) }),
      room: () => NODE_RUNS.max_at_once - this.#live.size,
      onResponse: deps.onClaimResponse,
      onRun: (runId) => {
        this.#repos.claimed(host.runs.find(runId)?.claim.worktree.repo ?? null);
        this.#open(runId, { isNew: true });
      },
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
    const open = this.#host.runs.open();
    for (const { run_id } of open) this.#open(run_id, { isNew: false });
    return open.length;
  }

  start(): void {
    void endUnknownRuns(this.#host, this.#left.signal);
    this.#cleaning.start();
    this.#claims.start();
  }

  /** Asks for work now. */
  wake(): void {
    this.#claims.wake();
  }

  /** Claims nothing more, and leaves the runs to their runners. */
  stop(): void {
    this.#left.abort();
    this.#cleaning.stop();
    this.#claims.stop();
    this.#repos.stop();
    this.#heartbeats.stop();
    for (const run of this.#live.values()) run.leave();
  }

  /** Ends a run that this node has under way. Never throws: what a full disk prevents, the next heartbeat does. */
  stopRun(runId: string, reason: StopRequest): void {
    try {
      this.#live.get(runId)?.stop(reason);
    } catch (error) {
      this.#host.log.error({ error, run_id: runId }, 'a run could not be ended; it is tried again');
    }
  }

  #open(runId: string, { isNew }: { isNew: boolean }): void {
    const stored = this.#host.runs.find(runId);
    if (stored === null || this.#live.has(runId)) return;
    try {
      const run = new LiveRun(stored, this.#host, (one) => this.#heartbeats.beat(one, stored.claim.step_id));
      this.#live.set(runId, run);
      void this.#work(run, stored, isNew);
    } catch (error) {
      this.#host.log.error({ error, run_id: runId }, 'the folder of a run cannot be used');
      void this.#endUnopened(stored, error instanceof Error ? error.message : String(error));
    }
  }

  /** Nothing more is known of a run without its files: what runs of it is ended. An end that is stored is on its way. */
  async #endUnopened({ run_id, stage, claim }: StoredRun, why: string): Promise<void> {
    const { store, runs, runsDir } = this.#host;
    if (stage !== 'claimed' && stage !== 'started') return;
    const verdict = failed('run_folder_failed', `the folder of the run cannot be used: ${why}`);
    const end = { verdict, exit_code: null, signal: null, usage: null, session_id: null };
    await untilStored(this.#host, run_id, this.#left.signal, async () => {
      if (stage === 'started') await giveUpFolder(runFolderPath(runsDir, claim), run_id);
      store.transaction(() => {
        store.outbox.append(endReport({ run_id, step_id: claim.step_id }, end));
        runs.move(run_id, 'ended');
      });
    });
  }

  #endStale(run: LiveRun): void {
    this.#host.log.warn({ run_id: run.runId }, 'another run has taken the step over: this one ends');
    this.#heartbeats.release(run.runId);
    run.becameStale();
    this.#afterWork(run.runId);
  }

  /** A run of an earlier agent may have been taken over: the edge says so before anything of it is judged or reported. */
  async #work(run: LiveRun, { run_id, claim }: StoredRun, isNew: boolean): Promise<void> {
    if (claim.cancel) this.stopRun(run_id, 'canceled');
    // Git of a killed agent may still fill the worktree.
    if (!isNew) await endGitOf(run_id);
    await this.#heartbeats.keep(run, claim.step_id, { isNew });
    await run.work();
    // The store of an agent that stops may be closed.
    if (!this.#left.signal.aborted) this.#afterWork(run.runId);
  }

  #afterWork(runId: string): void {
    if (this.#host.runs.find(runId)?.stage === 'reported') this.#close(runId);
  }

  #close(runId: string): void {
    this.#heartbeats.release(runId);
    if (this.#live.delete(runId)) this.#claims.wake();
  }

  /** The edge has the end of a run, or refuses it because the step is another run's. */
  #reported(runId: string, taskStatus: string | null): () => void {
    const run = this.#host.runs.find(runId);
    if (run?.stage === 'ended') this.#host.runs.move(runId, 'reported');
    return () => {
      if (run !== null) this.#cleaning.afterRun(usedTask(run, taskStatus));
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
        onResponse: ({ task_status }, { context }) => this.#reported(ContextSchema.parse(context).run_id, task_status),
        onRefusal: (_refusal, { context }) => this.#reported(ContextSchema.parse(context).run_id, null),
      }),
    };
  }
}
