/** The runs of this node in its SQLite file. */
import type { DatabaseSync } from 'node:sqlite';
import { z } from 'zod';
import type { ClaimedRun, RunUsage } from '../../schema/contracts/runs.ts';
import { ClaimedRunSchema, RUN_STREAMS, RunUsageSchema } from '../../schema/contracts/runs.ts';
import type { Clocks } from '../runner/limits.ts';
import { STOP_REQUESTS } from '../runner/limits.ts';
import type { SentBytes } from '../runs/tail.ts';
import { NOTHING_SENT } from '../runs/tail.ts';
import type { RunStage } from './run-stage.ts';
import { moveStage, RUN_STAGES } from './run-stage.ts';

const CLAIM_KEY = 'claim_key';
const json = <T extends z.ZodType>(schema: T) => z.string().transform((text) => schema.parse(JSON.parse(text)));
const SentSchema = z.record(z.enum(RUN_STREAMS), z.number().int().nonnegative());

const RunRowSchema = z.object({
  run_id: z.string(),
  task_id: z.string(),
  claim: json(ClaimedRunSchema),
  stage: z.enum(RUN_STAGES),
  deadline: json(z.object({ wall: z.number(), monotonic: z.number() })),
  stop: z.enum(STOP_REQUESTS).nullable(),
  base_sha: z.string().nullable(),
  sent: json(SentSchema),
});
export type StoredRun = z.output<typeof RunRowSchema>;
const TaskOfRunsSchema = z.object({ task_id: z.string(), repo: z.string().nullable(), used_at: z.number() });
const COLUMNS = Object.keys(RunRowSchema.shape).join(', ');

/** What may change of a run besides its stage. */
export interface RunPatch {
  deadline?: Clocks;
  stop?: StoredRun['stop'];
  base_sha?: string;
  sent?: SentBytes;
}

export interface RunStoreDeps {
  db: DatabaseSync;
  now: () => number;
}

export class RunStore {
  readonly #db: DatabaseSync;
  readonly #now: () => number;

  constructor({ db, now }: RunStoreDeps) {
    this.#db = db;
    this.#now = now;
  }

  /** The key of the claim that is under way; kept until its response is stored, so that a restart gets the same run. */
  claimKey(newKey: () => string): string {
    const found = this.#db.prepare('SELECT value FROM meta WHERE key = ?').get(CLAIM_KEY);
    if (found !== undefined) return String(found.value);
    const key = newKey();
    this.#db.prepare('INSERT INTO meta (key, value) VALUES (?, ?)').run(CLAIM_KEY, key);
    return key;
  }

  forgetClaimKey(): void {
    this.#db.prepare('DELETE FROM meta WHERE key = ?').run(CLAIM_KEY);
  }

  /** Stores a claimed run, unless this node has it. */
  add(claim: ClaimedRun, deadline: Clocks): void {
    const now = this.#now();
    this.#db
      .prepare(
        `INSERT INTO runs (run_id, task_id, claim, stage, deadline, base_sha, sent, claimed_at, updated_at)
         VALUES (?, ?, ?, 'claimed', ?, ?, ?, ?, ?) ON CONFLICT (run_id) DO NOTHING`,
      )
      .run(
        claim.run_id,
        claim.task_id,
        JSON.stringify(claim),
        JSON.stringify(deadline),
        claim.worktree.base_sha,
        JSON.stringify(NOTHING_SENT),
        now,
        now,
      );
  }

  find(runId: string): StoredRun | null {
    const row = this.#db.prepare(`SELECT ${COLUMNS} FROM runs WHERE run_id = ?`).get(runId);
    return row === undefined ? null : RunRowSchema.parse(row);
  }

  /** The newest run of a task on this node, without `exceptRunId`. */
  lastOfTask(taskId: string, exceptRunId: string): { run_id: string; base_sha: string | null } | null {
    const row = this.#db
      .prepare(
        `SELECT run_id, base_sha FROM runs WHERE task_id = ? AND run_id <> ?
         ORDER BY claimed_at DESC, run_id DESC LIMIT 1`,
      )
      .get(taskId, exceptRunId);
    return row === undefined ? null : RunRowSchema.pick({ run_id: true, base_sha: true }).parse(row);
  }

  /** Runs that are not reported yet, oldest first. */
  open(): StoredRun[] {
    const rows = this.#db.prepare(`SELECT ${COLUMNS} FROM runs WHERE stage <> 'reported' ORDER BY claimed_at`).all();
    return rows.map((row) => RunRowSchema.parse(row));
  }

  move(runId: string, to: RunStage): void {
    const run = this.find(runId);
    if (run === null) throw new Error(`there is no run ${runId}`);
    moveStage(run.stage, to);
    this.#db.prepare('UPDATE runs SET stage = ?, updated_at = ? WHERE run_id = ?').run(to, this.#now(), runId);
  }

  change(runId: string, patch: RunPatch): void {
    for (const [column, value] of Object.entries(patch)) {
      const stored = typeof value === 'object' && value !== null ? JSON.stringify(value) : value;
      this.#db
        .prepare(`UPDATE runs SET ${column} = ?, updated_at = ? WHERE run_id = ?`)
        .run(stored, this.#now(), runId);
    }
  }

  /** All tasks that have runs here, with the time of their last use. */
  tasks(): { task_id: string; repo: string | null; used_at: number }[] {
    const rows = this.#db
      .prepare(
        `SELECT task_id, max(claim ->> '$.worktree.repo') AS repo, max(updated_at) AS used_at FROM runs GROUP BY task_id`,
      )
      .all();
    return rows.map((row) => TaskOfRunsSchema.parse(row));
  }

  forgetTask(taskId: string): void {
    this.#db.prepare('DELETE FROM runs WHERE task_id = ?').run(taskId);
  }

  sessionUsage(sessionId: string): RunUsage | null {
    const row = this.#db.prepare('SELECT usage FROM agent_sessions WHERE session_id = ?').get(sessionId);
    return row === undefined ? null : RunUsageSchema.parse(JSON.parse(String(row.usage)));
  }

  noteSessionUsage(sessionId: string, usage: RunUsage): void {
    this.#db
      .prepare(
        `INSERT INTO agent_sessions (session_id, usage, updated_at) VALUES (?, ?, ?)
         ON CONFLICT (session_id) DO UPDATE SET usage = excluded.usage, updated_at = excluded.updated_at`,
      )
      .run(sessionId, JSON.stringify(usage), this.#now());
  }
}
