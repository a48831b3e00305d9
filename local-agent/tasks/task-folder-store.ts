/** What the tasks of this node take on its disk, in its SQLite file: measured after each run, never by a scan of all. */
import type { DatabaseSync } from 'node:sqlite';
import { z } from 'zod';

const FolderSchema = z.object({
  task_id: z.string(),
  repo: z.string().nullable(),
  bytes: z.number(),
  used_at: z.number(),
});
export type TaskFolderRow = z.output<typeof FolderSchema>;

/** No run of the task is under way on this node. */
const IS_FREE = "NOT EXISTS (SELECT 1 FROM runs WHERE runs.task_id = task_folders.task_id AND stage <> 'reported')";
const COLUMNS = Object.keys(FolderSchema.shape).join(', ');

export class TaskFolderStore {
  readonly #db: DatabaseSync;

  constructor(db: DatabaseSync) {
    this.#db = db;
  }

  note({ task_id, repo, bytes, used_at }: TaskFolderRow, { hasEnded }: { hasEnded: boolean }): void {
    this.#db
      .prepare('INSERT OR REPLACE INTO task_folders (task_id, repo, bytes, used_at, has_ended) VALUES (?, ?, ?, ?, ?)')
      .run(task_id, repo, bytes, used_at, Number(hasEnded));
  }

  has(taskId: string): boolean {
    return this.#db.prepare('SELECT 1 FROM task_folders WHERE task_id = ?').get(taskId) !== undefined;
  }

  totalBytes(): number {
    return Number(this.#db.prepare('SELECT coalesce(sum(bytes), 0) AS total FROM task_folders').get()?.total);
  }

  /** The task that was used longest ago of those that have ended. */
  oldestEnded(): TaskFolderRow | null {
    const row = this.#db
      .prepare(`SELECT ${COLUMNS} FROM task_folders WHERE has_ended = 1 AND ${IS_FREE} ORDER BY used_at LIMIT 1`)
      .get();
    return row === undefined ? null : FolderSchema.parse(row);
  }

  /** The task that was used longest ago, if that was before `time`. */
  oldestBefore(time: number): TaskFolderRow | null {
    const row = this.#db
      .prepare(`SELECT ${COLUMNS} FROM task_folders WHERE used_at < ? AND ${IS_FREE} ORDER BY used_at LIMIT 1`)
      .get(time);
    return row === undefined ? null : FolderSchema.parse(row);
  }

  /** Tasks that have not ended as far as this node knows, and were used here before `time`. */
  openBefore(time: number, limit: number): TaskFolderRow[] {
    const rows = this.#db
      .prepare(
        `SELECT ${COLUMNS} FROM task_folders WHERE has_ended = 0 AND used_at < ? AND ${IS_FREE} ORDER BY used_at LIMIT ?`,
      )
      .all(time, limit);
    return rows.map((row) => FolderSchema.parse(row));
  }

  isFree(taskId: string): boolean {
    return this.#db.prepare(`SELECT 1 FROM task_folders WHERE task_id = ? AND ${IS_FREE}`).get(taskId) !== undefined;
  }

  forget(taskId: string): void {
    this.#db.prepare('DELETE FROM task_folders WHERE task_id = ?').run(taskId);
  }
}
