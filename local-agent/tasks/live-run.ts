/**
 * One run on this node, from its claim to the moment at which the edge has its end. Each stage is stored before what follows
 * from it, so a later agent continues where this one was: it prepares again, follows the runner, or judges what has ended.
 */
import { join } from 'node:path';
import type { RunHeartbeatBody, RunHeartbeatResponse } from '../../schema/contracts/runs.ts';
import { RUN } from '../../schema/defaults.ts';
import type { StepLaunch, Verdict } from '../executors/executor.ts';
import { failed } from '../executors/executor.ts';
import { executorFor } from '../executors/registry.ts';
import { isDiskFault } from '../lib/errno.ts';
import type { Clocks, StopRequest } from '../runner/limits.ts';
import { later, writeLimits } from '../runner/limits.ts';
import { readExit } from '../runner/read-exit.ts';
import type { StartedRunner } from '../runner/start-runner.ts';
import { endOrphans, runnerState, startRunner } from '../runner/start-runner.ts';
import { taskFolderPath } from '../worktrees/worktree.ts';
import { stepVariables } from './earlier-steps.ts';
import { FREE_SPACE } from './end-of-run.ts';
import { dropRun, finishRun, hasWrittenEnd, noExit, reportWritten } from './finish-run.ts';
import { followRun } from './follow-run.ts';
import type { RunsHost } from './host.ts';
import { RunRecord } from './run-record.ts';
import type { RunScene } from './run-scene.ts';
import { nextWork } from './run-stage.ts';
import type { StoredRun } from './run-store.ts';
import { prepareStep } from './step-preparation.ts';
import { untilStored } from './until-stored.ts';

function hostFailure(error: unknown): Verdict {
  const why = (error instanceof Error ? error.message : String(error)).slice(0, RUN.max_summary_chars);
  return isDiskFault(error) ? failed('disk_fault', `${why}; ${FREE_SPACE}`) : failed('host_failed', why);
}

export class LiveRun {
  readonly runId: string;
  readonly #host: RunsHost;
  readonly #scene: RunScene;
  readonly #beat: () => Promise<void>;
  readonly #left = new AbortController();
  /** Ends what prepares the step. */
  readonly #stopped = new AbortController();
  #hasStarted = false;
  /** Why this host cannot continue the run. */
  #problem: string | null = null;

  /** @throws the system's error when the run's folder cannot be made */
  constructor(run: StoredRun, host: RunsHost, beat: (run: LiveRun) => Promise<void>) {
    this.runId = run.run_id;
    this.#host = host;
    this.#beat = () => beat(this);
    const executor = executorFor(run.claim, host.agents);
    const bound = 'problem' in executor ? null : executor;
    const { repo } = run.claim.worktree;
    this.#scene = {
      run,
      host,
      record: new RunRecord(run, host),
      executor: bound,
      reader: bound?.reader() ?? null,
      path: taskFolderPath({ worktreesDir: host.worktreesDir, taskId: run.task_id }),
      repoPath: repo === null ? null : (host.repos[repo] ?? null),
      baseSha: run.base_sha,
      signal: this.#left.signal,
    };
  }

  get #stored(): StoredRun {
    const run = this.#host.runs.find(this.runId);
    if (run === null) throw new Error(`there is no run ${this.runId}`);
    return run;
  }

  /** Does what is left to do, until the end is stored or this agent leaves. Never throws. */
  async work(): Promise<void> {
    const { signal } = this.#left;
    try {
      await this.#workOn();
    } catch (error) {
      if (!signal.aborted) await untilStored(this.#host, this.runId, signal, () => this.#failBy(error));
    } finally {
      if (signal.aborted || this.#isOver()) this.#scene.record.close();
    }
  }

  /** Asks the runner to end the run, or ends its preparation. The first reason counts. */
  stop(reason: StopRequest): void {
    const { stop, stage } = this.#stored;
    if (stop !== null || stage === 'reported') return;
    this.#host.runs.change(this.runId, { stop: reason });
    this.#writeLimits();
    this.#stopped.abort();
  }

  /** This agent ends; the runner and its child do not. */
  leave(): void {
    this.#left.abort();
    this.#stopped.abort();
  }

  heartbeat(): RunHeartbeatBody {
    const { record, reader, baseSha } = this.#scene;
    const view = reader?.view();
    const session = view?.sessionId ?? null;
    const progress = view?.progress ?? null;
    return {
      run_id: this.runId,
      checkpoint_seq: record.state.checkpoint_seq,
      ...(this.#hasStarted ? { started: true } : {}),
      ...(baseSha === null ? {} : { base_sha: baseSha }),
      ...(session === null ? {} : { session_id: session }),
      ...(progress === null ? {} : { progress: progress.slice(0, 200) }),
    };
  }

  /** `askedAt`: when the heartbeat was sent, so that its deadline is never counted too late. */
  acknowledged({ deadline_in_ms, cancel, hand_over }: RunHeartbeatResponse, askedAt: Clocks): void {
    this.#host.runs.change(this.runId, { deadline: later(askedAt, deadline_in_ms) });
    this.#writeLimits();
    if (cancel) this.stop('canceled');
    else if (hand_over) this.stop('handed_over');
  }

  /** The edge has given the step to another run. */
  becameStale(): void {
    const { stage } = this.#stored;
    if (stage === 'ended') dropRun(this.#scene);
    else this.stop('stale_run');
  }

  #isOver(): boolean {
    return ['ended', 'reported'].includes(this.#stored.stage);
  }

  #writeLimits(): void {
    const { deadline, stop, stage } = this.#stored;
    if (stage === 'claimed' || stage === 'started') writeLimits(this.#scene.record.folder, { deadline, stop });
  }

  async #workOn(): Promise<void> {
    const { folder } = this.#scene.record;
    const { stage } = this.#stored;
    if (['claimed', 'started'].includes(stage) && hasWrittenEnd(this.#scene)) return this.#report();
    switch (nextWork(stage, () => runnerState(folder))) {
      case 'prepare':
        return this.#prepare();
      case 'follow':
        return this.#follow();
      case 'finish':
        return this.#finish();
      case 'give_up':
        return this.#giveUp();
      default:
        return undefined;
    }
  }

  async #prepare(): Promise<void> {
    const host = this.#host;
    const step = await prepareStep(this.#stored, host, this.#stopped.signal);
    if (this.#left.signal.aborted) return;
    const { stop } = this.#stored;
    if (stop !== null) return this.#end(noExit(host.clock.now(), stop));
    if ('verdict' in step) return finishRun(this.#scene, { exit: noExit(host.clock.now()), verdict: step.verdict });
    this.#noteFolder(step.folder);
    this.#noteStartOver(step.folder.startsOver);
    // The first run of a task fixes its base commit, before a step of it may begin on another host.
    if (this.#scene.run.claim.worktree.base_sha === null && this.#scene.baseSha !== null) await this.#beat();
    if (step.prepared.type === 'verdict') {
      return finishRun(this.#scene, { exit: noExit(host.clock.now()), verdict: step.prepared.verdict });
    }
    if (host.isPaused()) return this.#defer();
    await this.#follow(await this.#start(step.prepared.launch));
  }

  #noteFolder({ path, repoPath, baseSha }: Pick<RunScene, 'path' | 'repoPath' | 'baseSha'>): void {
    Object.assign(this.#scene, { path, repoPath, baseSha });
    if (baseSha !== null) this.#host.runs.change(this.runId, { base_sha: baseSha });
  }

  #noteStartOver(why: string | null): void {
    if (why === null) return;
    this.#host.log.warn({ run_id: this.runId }, why);
    this.#scene.record.once('work_started_over', why);
  }

  async #defer(): Promise<void> {
    const { record } = this.#scene;
    record.once('worker_execution_deferred', 'the system was paused before the step started');
    await this.#end(noExit(this.#host.clock.now(), 'system_paused'));
  }

  async #start({ argv, cwd, env, stdin }: StepLaunch): Promise<StartedRunner> {
    const { record, path, run } = this.#scene;
    const folder = join(path, cwd);
    this.#writeLimits();
    this.#host.runs.move(this.runId, 'started');
    const surroundings = this.#host.surroundings(folder);
    const launch = { run_id: this.runId, argv, cwd: folder, stdin, timeout_ms: run.claim.timeout_ms };
    const variables = stepVariables(run.claim, this.#host.runsDir);
    return startRunner(record.folder, { ...launch, env: { ...surroundings, ...env, ...variables } });
  }

  async #follow(runner: StartedRunner | null = null): Promise<void> {
    const state = await followRun(this.#scene, {
      runner,
      onStarted: () => {
        this.#hasStarted = true;
        void this.#beat();
      },
      onProblem: (text) => {
        this.#host.log.warn({ run_id: this.runId }, text);
        this.#problem ??= text;
        this.stop('failed');
      },
    });
    if (state === 'running') return;
    await (state === 'ended' ? this.#finish() : this.#giveUp());
  }

  async #finish(): Promise<void> {
    await this.#end(readExit(this.#scene.record.folder));
  }

  async #giveUp(): Promise<void> {
    await endOrphans(this.#scene.record.folder, this.runId);
    const text = 'the runner of the step was ended from outside, so how the step ended is not known';
    const verdict = { status: 'lost' as const, summary: text, error_code: 'runner_lost', error_text: text };
    if (this.#stored.stop === 'stale_run') return dropRun(this.#scene);
    await finishRun(this.#scene, { exit: noExit(this.#host.clock.now()), verdict });
  }

  async #end(exit: ReturnType<typeof noExit>): Promise<void> {
    const { stop } = this.#stored;
    if (stop === 'stale_run') return dropRun(this.#scene);
    const isOurs = exit.ended_by === 'failed' && this.#problem !== null;
    const verdict = isOurs ? { verdict: failed('host_failed', this.#problem ?? '') } : {};
    await finishRun(this.#scene, { exit, ...verdict });
  }

  /** The files have the end of the run, the store does not. */
  async #report(): Promise<void> {
    if (this.#stored.stop === 'stale_run') return dropRun(this.#scene);
    await reportWritten(this.#scene);
  }

  /** Ends the run because of a fault of this host. @throws when the end cannot be stored */
  async #failBy(error: unknown): Promise<void> {
    this.#host.log.error({ error, run_id: this.runId }, 'a run failed on this host');
    if (this.#isOver()) return;
    await endOrphans(this.#scene.record.folder, this.runId);
    if (hasWrittenEnd(this.#scene) || this.#stored.stop === 'stale_run') return this.#report();
    await finishRun(this.#scene, { exit: noExit(this.#host.clock.now()), verdict: hostFailure(error) });
  }
}
