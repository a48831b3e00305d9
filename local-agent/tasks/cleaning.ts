/**
 * Keeps runs from filling the disk: the worktree of a task that is done is removed at once, everything of a task whose last
 * run here is old is removed after that. Branches stay. A bounded number each time, so that it never takes long.
 */

import { AGENT_KEEPS, NODE_RUNS } from '../../schema/defaults.ts';
import type { Clock } from '../lib/clock.ts';
import { removeTaskFolders } from '../runs/run-folder.ts';
import { removeWorktree, taskFolderPath } from '../worktrees/worktree.ts';
import type { RunsHost } from './host.ts';

const BATCH = 50;
const PAUSE_MS = 60_000;

export class Cleaning {
  readonly #host: RunsHost;
  readonly #clock: Clock;
  readonly #stopped = new AbortController();
  #cancel: () => void = () => undefined;

  constructor(host: RunsHost) {
    this.#host = host;
    this.#clock = host.clock;
  }

  start(): void {
    void this.#cleanOld();
  }

  stop(): void {
    this.#stopped.abort();
    this.#cancel();
  }

  /** Removes the folder of a task that needs it no more. Never throws. */
  async removeFolder(taskId: string, repo: string | null): Promise<void> {
    const { worktreesDir, repos, log } = this.#host;
    const path = taskFolderPath({ worktreesDir, taskId });
    try {
      const repoPath = repo === null ? null : (repos[repo] ?? null);
      const env = this.#host.surroundings(worktreesDir);
      await removeWorktree(repoPath, path, { env, signal: this.#stopped.signal });
    } catch (error) {
      log.warn({ error, path }, 'the folder of a task could not be removed; it is tried again later');
    }
  }

  async #cleanOld(): Promise<void> {
    const { runs, runsDir } = this.#host;
    const old = runs.oldTasks(this.#clock.now() - NODE_RUNS.keep_ms, BATCH);
    for (const { task_id, repo } of old) {
      if (this.#stopped.signal.aborted) return;
      await this.removeFolder(task_id, repo);
      removeTaskFolders(runsDir, task_id);
      runs.forgetTask(task_id);
    }
    if (this.#stopped.signal.aborted) return;
    const waitMs = old.length === BATCH ? PAUSE_MS : AGENT_KEEPS.look_interval_ms;
    this.#cancel = this.#clock.after(waitMs, () => void this.#cleanOld());
  }
}
