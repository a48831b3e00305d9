/**
 * Follows a run while its runner lives: its logs go to the edge, the events of a coding agent become progress, and
 * checkpoints are saved. It never waits for the edge, so the output of a run costs the same whether the edge is there.
 */
import { setImmediate } from 'node:timers/promises';
import { RUN_FILES } from '../../schema/defaults.ts';
import { LineSplitter } from '../executors/lines.ts';
import { readIdentity } from '../runner/identity.ts';
import type { RunnerState, StartedRunner } from '../runner/start-runner.ts';
import { runnerState } from '../runner/start-runner.ts';
import { OutputFeed } from '../runs/output-feed.ts';
import { watchRunFolder } from '../runs/watch-folder.ts';
import { folderProblem } from '../worktrees/task-folder.ts';
import type { RunScene } from './run-scene.ts';
import { pause, saveProgress } from './run-scene.ts';

/** The pause behind a checkpoint, as a multiple of the time that it took. */
const PAUSE_FACTOR = 4;

export interface Following {
  /** The runner that this agent has started; null for that of an earlier agent. */
  runner: StartedRunner | null;
  /** The child runs. */
  onStarted: () => void;
  /** The run cannot continue on this host. */
  onProblem: (text: string) => void;
}

/** Notes the child once it is known. True when that is new. */
export function noteStart({ record, host }: RunScene): boolean {
  if (record.state.pid !== null) return false;
  const child = readIdentity(record.folder)?.child ?? null;
  if (child === null) return false;
  record.once('worker_started', `process ${child.pid} has started`, { pid: child.pid });
  record.transition({ status: 'running', pid: child.pid, started_at: host.clock.now() });
  return true;
}

/** Reads what the step has printed, in turns. */
async function feedAll(feed: OutputFeed): Promise<void> {
  while (feed.next()) await setImmediate();
}

/** Feeds the whole output of a step that has ended to a new reader: that of the run so far has a part of it already. */
export async function readOutput(scene: RunScene): Promise<void> {
  const { record, executor } = scene;
  const reader = executor?.reader() ?? null;
  scene.reader = reader;
  if (reader === null) return;
  const lines = new LineSplitter((line) => reader.line(line));
  const feed = new OutputFeed(record.folder, (bytes) => lines.push(bytes));
  await feedAll(feed);
  lines.close();
  feed.close();
}

class Follower {
  readonly #scene: RunScene;
  readonly #following: Following;
  readonly #feed: OutputFeed;
  readonly #ended = new AbortController();
  #checkAt: number;
  #checkpointAt: number;
  /** The checkpoint that is under way: it may take minutes, and logs and the end of the step do not wait for it. */
  #saving: Promise<void> | null = null;

  constructor(scene: RunScene, following: Following) {
    this.#scene = scene;
    this.#following = following;
    const lines = new LineSplitter((line) => scene.reader?.line(line));
    this.#feed = new OutputFeed(scene.record.folder, (bytes) => scene.reader && lines.push(bytes));
    this.#checkAt = this.#next(0);
    this.#checkpointAt = this.#checkAt;
  }

  async look(): Promise<RunnerState> {
    const { record, reader } = this.#scene;
    const state = this.#following.runner?.lives() ? 'running' : runnerState(record.folder);
    if (noteStart(this.#scene)) this.#following.onStarted();
    if (reader !== null) await feedAll(this.#feed);
    const progress = reader?.view().progress ?? null;
    if (progress !== null && progress !== record.state.summary) record.update({ summary: progress });
    record.sendLogs({ isComplete: false });
    if (state === 'running') this.#keepUp();
    return state;
  }

  /** Ends the checkpoint that is under way, since the last one follows it, and resolves when nothing of it is left. */
  async close(): Promise<void> {
    this.#ended.abort();
    await this.#saving;
    this.#feed.close();
  }

  /** Looks whether the run can continue, and begins the checkpoint that is due. */
  #keepUp(): void {
    const now = this.#scene.host.clock.monotonic();
    if (now < this.#checkAt) return;
    this.#checkAt = this.#next(0);
    const problem = folderProblem(this.#scene) ?? this.#scene.record.diskFault;
    if (problem !== null) this.#following.onProblem(problem);
    else if (now >= this.#checkpointAt && this.#saving === null) this.#saving = this.#checkpoint(now);
  }

  /** Never throws. */
  async #checkpoint(began: number): Promise<void> {
    const { host, signal, run } = this.#scene;
    try {
      await saveProgress(this.#scene, AbortSignal.any([signal, this.#ended.signal]));
    } catch (error) {
      host.log.warn({ error, run_id: run.run_id }, 'a checkpoint could not be saved; the next one is tried later');
    }
    this.#saving = null;
    this.#checkpointAt = this.#next(host.clock.monotonic() - began);
  }

  /** When the next one is due after one that took so long: a host does not spend its time on checkpoints alone. */
  #next(tookMs: number): number {
    const { clock, checkpointIntervalMs } = this.#scene.host;
    return clock.monotonic() + Math.max(checkpointIntervalMs, tookMs * PAUSE_FACTOR);
  }
}

/** Resolves when the runner no longer runs, or this agent stops; the run continues without it then. */
export async function followRun(scene: RunScene, following: Following): Promise<RunnerState> {
  const { host, record, signal } = scene;
  const follower = new Follower(scene, following);
  let wake = () => {};
  const unwatch = watchRunFolder(record.folder, () => wake());
  signal.addEventListener('abort', () => wake());
  void following.runner?.ended.then(() => wake());
  try {
    for (;;) {
      const state = await follower.look();
      if (state !== 'running' || signal.aborted) return state;
      await pause(host.clock, RUN_FILES.look_ms, (resolve) => {
        wake = resolve;
      });
    }
  } finally {
    unwatch();
    await follower.close();
  }
}
