/**
 * Keeps runs from filling the disk. The folder of a task that is done is removed at once, unless something is in it that is
 * nowhere else, or that cannot be known. Everything of a task is removed when its last use here is long ago, and earlier when
 * all of them take more than the budget: the one that was used longest ago first, never one that has a run under way, nor one
 * that has not ended. Branches stay.
 */
import { setImmediate } from 'node:timers/promises';
import { AGENT_KEEPS, NODE_RUNS } from '../../schema/defaults.ts';
import { folderBytes } from '../host/folder-size.ts';
import { moveAside, removeMovedAside, removeTree } from '../host/remove-tree.ts';
import { lastRunAt, taskFolders } from '../runs/run-folder.ts';
import { taskFolder } from '../runs/run-paths.ts';
import { forgetWorktree } from '../worktrees/interrupted.ts';
import { isFolder } from '../worktrees/task-folder.ts';
import { whyKept } from '../worktrees/why-kept.ts';
import { removeWorktree, taskFolderPath } from '../worktrees/worktree.ts';
import type { RunsHost } from './host.ts';
import { endOfTask } from './remote-end.ts';
import type { TaskFolderRow } from './task-folder-store.ts';
import { TaskFolderStore } from './task-folder-store.ts';

const MIB = 1024 * 1024;

/** A task after one of its runs. */
export interface UsedTask {
  task_id: string;
  repo: string | null;
  /** As the edge says. */
  isDone: boolean;
  hasEnded: boolean;
}

export class Cleaning {
  readonly #host: RunsHost;
  readonly #folders: TaskFolderStore;
  readonly #stopped = new AbortController();
  #cancel: () => void = () => undefined;
  /** One thing after the other: two measurements of a folder would disturb each other. */
  #queue: Promise<void> = Promise.resolve();
  #isOverBudget = false;

  constructor(host: RunsHost) {
    this.#host = host;
    this.#folders = new TaskFolderStore(host.store.db);
  }

  start(): void {
    this.#next(() => this.#takeUp());
    this.#lookAgain();
  }

  stop(): void {
    this.#stopped.abort();
    this.#cancel();
  }

  /** Measures what a task takes after one of its runs, and removes what is too much. */
  afterRun(task: UsedTask): void {
    this.#next(async () => {
      if (task.isDone) await this.#removeWorktree(task);
      await this.#measure({ ...task, used_at: this.#host.clock.now() }, task.hasEnded);
      await this.#keepBudget();
    });
  }

  #lookAgain(): void {
    this.#next(() => this.#askForEnds());
    this.#next(() => this.#removeOld());
    this.#cancel = this.#host.clock.after(AGENT_KEEPS.look_interval_ms, () => this.#lookAgain());
  }

  /** What fails is tried again with the next start at the latest. */
  #next(work: () => Promise<void>): void {
    this.#queue = this.#queue.then(async () => {
      if (this.#stopped.signal.aborted) return;
      try {
        await work();
      } catch (error) {
        if (this.#stopped.signal.aborted) return;
        this.#host.log.warn(
          { error },
          'what a task has left on the disk could not be removed; it is tried again later',
        );
      }
    });
  }

  /** Takes up what an earlier agent has left: folders that it was removing, and those that it has not measured. */
  async #takeUp(): Promise<void> {
    const { runs, runsDir, worktreesDir } = this.#host;
    for (const folder of [runsDir, worktreesDir]) await removeMovedAside(folder);
    const known = new Map(runs.tasks().map((task) => [task.task_id, task]));
    for (const task_id of new Set([...known.keys(), ...taskFolders(runsDir)])) {
      await setImmediate();
      if (this.#stopped.signal.aborted) return;
      if (this.#folders.has(task_id)) continue;
      const task = known.get(task_id);
      const used_at = task?.used_at ?? lastRunAt(runsDir, task_id);
      await this.#measure({ task_id, repo: task?.repo ?? null, used_at }, task === undefined);
    }
    await this.#keepBudget();
  }

  /** A task that ended on another host is cleaned here too. */
  async #askForEnds(): Promise<void> {
    const before = this.#host.clock.now() - NODE_RUNS.ask_end_after_ms;
    for (const task of this.#folders.openBefore(before, NODE_RUNS.max_asked)) {
      if (this.#stopped.signal.aborted) return;
      const end = await endOfTask(task.task_id, this.#host);
      if (end?.isDone === true) await this.#removeWorktree(task);
      if (end !== null) await this.#measure(task, true);
    }
    await this.#keepBudget();
  }

  async #measure({ task_id, repo, used_at }: Omit<TaskFolderRow, 'bytes'>, hasEnded: boolean): Promise<void> {
    const { runsDir, worktreesDir } = this.#host;
    const runs = await folderBytes(taskFolder(runsDir, { task_id }));
    const worktree = await folderBytes(taskFolderPath({ worktreesDir, taskId: task_id }));
    if (this.#stopped.signal.aborted) return;
    this.#folders.note({ task_id, repo, bytes: runs + worktree, used_at }, { hasEnded });
  }

  async #keepBudget(): Promise<void> {
    const { log, budgetMib } = this.#host;
    const budget = budgetMib * MIB;
    for (;;) {
      const total = this.#folders.totalBytes();
      const oldest = total > budget ? this.#folders.oldestEnded() : null;
      const isOver = total > budget && oldest === null;
      if (isOver && !this.#isOverBudget) {
        const text = 'runs and worktrees take more than runs_budget_mib, and no task that has ended can be removed';
        log.warn({ total, budget }, text);
      }
      this.#isOverBudget = isOver;
      if (oldest === null || this.#stopped.signal.aborted) return;
      const { task_id, bytes } = oldest;
      log.info({ task_id, bytes, total, budget }, 'the runs of a task are removed: all take more than runs_budget_mib');
      await this.#removeTask(oldest);
    }
  }

  async #removeOld(): Promise<void> {
    const before = this.#host.clock.now() - NODE_RUNS.keep_ms;
    for (;;) {
      const oldest = this.#folders.oldestBefore(before);
      if (oldest === null || this.#stopped.signal.aborted) return;
      await this.#removeTask(oldest);
    }
  }

  /** Removes everything of a task. Its folders lose their names in the turn in which it is forgotten: none is used again. */
  async #removeTask({ task_id, repo }: TaskFolderRow): Promise<void> {
    const { runs, runsDir, store, worktreesDir } = this.#host;
    if (!this.#folders.isFree(task_id)) return;
    const worktree = taskFolderPath({ worktreesDir, taskId: task_id });
    const aside = [moveAside(worktree), moveAside(taskFolder(runsDir, { task_id }))];
    store.transaction(() => {
      runs.forgetTask(task_id);
      this.#folders.forget(task_id);
    });
    for (const path of aside) if (path !== null) await removeTree(path);
    const repoPath = this.#repoPath(repo);
    if (repoPath !== null) await forgetWorktree(repoPath, worktree, this.#gitContext());
  }

  async #removeWorktree({ task_id, repo }: Pick<TaskFolderRow, 'task_id' | 'repo'>): Promise<void> {
    const path = taskFolderPath({ worktreesDir: this.#host.worktreesDir, taskId: task_id });
    const repoPath = this.#repoPath(repo);
    const context = this.#gitContext();
    const why = await whyKept({ path, repo, repoPath }, context);
    if (why === null) await removeWorktree(repoPath, path, context);
    else this.#host.log.info({ task_id, path }, `the folder of a task stays: ${why}`);
  }

  #repoPath(repo: string | null): string | null {
    const path = repo === null ? null : (this.#host.repos[repo] ?? null);
    return path !== null && isFolder(path) ? path : null;
  }

  #gitContext() {
    const { surroundings, worktreesDir } = this.#host;
    return { env: surroundings(worktreesDir), signal: this.#stopped.signal };
  }
}
