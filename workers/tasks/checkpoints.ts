/** Checkpoints of runs. The edge keeps the content of the last whole one of each type of a step, a large one in a bucket. */
import { and, eq, sql } from 'drizzle-orm';
import type { Checkpoint, CheckpointBody } from '../../schema/contracts/runs.ts';
import { CheckpointSchema } from '../../schema/contracts/runs.ts';
import { RUN } from '../../schema/defaults.ts';
import { AppError } from '../../schema/errors.ts';
import { checkpoint_contents, checkpoints, runs } from '../../schema/tables/index.ts';
import { sha256Hex } from '../crypto/hash.ts';
import { contractColumns } from '../db/columns.ts';
import type { Database } from '../db/open.ts';
import type { Edge, WritePlan } from '../db/plan.ts';
import type { PageRequest } from '../http/paging.ts';
import { pageWindow, toPage } from '../http/paging.ts';
import { runBestEffort } from '../log.ts';
import { deleteContent, maxCheckpointBytes, putContent, readContent } from './checkpoint-bucket.ts';
import type { RunCaller } from './own-run.ts';
import { guardLive, requireOwnRun } from './own-run.ts';

interface Stored {
  run_id: string;
  checkpoint_seq: number;
}

/** A repeat changes nothing. Throws `stale_run`, and `invalid_request` for content that is not what it says. */
export async function takeCheckpoint(edge: Edge, caller: RunCaller, body: CheckpointBody): Promise<WritePlan<Stored>> {
  const { db, now } = edge;
  const own = await requireOwnRun(db, caller);
  const { task, step, run } = own;
  const bytes = await honestContent(edge.env, body);
  const { run_id, seq, type, size, sha256, truncated, content } = body;
  const row = { run_id, seq, step_id: step.step_id, type, size, sha256, truncated, created_at: now };
  const checkpoint_seq = Math.max(run.checkpoint_seq, seq);
  const keeps = content !== undefined && !(truncated && type === 'git_diff');
  const in_bucket = keeps && bytes !== null && bytes.length > RUN.max_checkpoint_bytes;
  const kept = { task_id: task.task_id, type, step_id: step.step_id, run_id, seq, in_bucket };
  const stored = { ...kept, content: in_bucket ? '' : (content ?? '') };
  const replaced = keeps && edge.env.CHECKPOINTS !== undefined ? await contentInBucket(db, kept) : undefined;
  if (in_bucket) await putContent(edge.env, kept, bytes);
  return {
    guards: [guardLive(db, own)],
    statements: [
      db.insert(checkpoints).values(row).onConflictDoNothing(),
      ...(keeps
        ? [
            db
              .insert(checkpoint_contents)
              .values(stored)
              .onConflictDoUpdate({
                target: [checkpoint_contents.task_id, checkpoint_contents.type, checkpoint_contents.step_id],
                set: { run_id, seq, content: stored.content, in_bucket },
                // An older one of the same run that comes late takes nothing back.
                setWhere: sql`${checkpoint_contents.run_id} <> ${run_id} OR ${checkpoint_contents.seq} <= ${seq}`,
              }),
          ]
        : []),
      ...(checkpoint_seq === run.checkpoint_seq
        ? []
        : [db.update(runs).set({ checkpoint_seq }).where(eq(runs.run_id, run_id))]),
    ],
    events: [{ topic: 'runs', type: 'checkpoint', subject_id: run_id, data: { seq, type, size, truncated } }],
    ...(replaced === undefined ? {} : { after: () => deleteReplaced(edge, kept, replaced) }),
    subject_id: run_id,
    response: { run_id, checkpoint_seq },
  };
}

type Kept = Pick<typeof checkpoint_contents.$inferSelect, 'task_id' | 'type' | 'step_id' | 'run_id' | 'seq'>;

/** What the bucket has for that type of that step. */
async function contentInBucket(db: Database, { task_id, type, step_id }: Kept) {
  const { run_id, seq, in_bucket } = checkpoint_contents;
  return db
    .select({ run_id, seq })
    .from(checkpoint_contents)
    .where(
      and(
        eq(checkpoint_contents.task_id, task_id),
        eq(checkpoint_contents.type, type),
        eq(checkpoint_contents.step_id, step_id),
        eq(in_bucket, true),
      ),
    )
    .get();
}

/** Deletes an object that no row names any more. One that is missed here is deleted with its task. */
async function deleteReplaced({ env, db }: Edge, kept: Kept, replaced: Pick<Kept, 'run_id' | 'seq'>): Promise<void> {
  const current = await contentInBucket(db, kept);
  if (current?.run_id === replaced.run_id && current.seq === replaced.seq) return;
  await runBestEffort('delete_checkpoint', () => deleteContent(env, replaced));
}

/**
 * The bytes of the content; null without one. A whole content has the size and the hash that it names, so that another host
 * applies exactly what was saved.
 */
async function honestContent(env: Env, { content, truncated, size, sha256 }: CheckpointBody) {
  if (content === undefined) return null;
  const bytes = decoded(content);
  const max = maxCheckpointBytes(env);
  if (bytes.length > max) {
    throw new AppError('payload_too_large', `the content of a checkpoint has at most ${max} bytes`);
  }
  if (truncated) return bytes;
  if (bytes.length !== size) throw notIt('size', `${bytes.length}, the bytes of content`);
  if ((await sha256Hex(bytes)) !== sha256) throw notIt('sha256', 'the SHA-256 of content');
  return bytes;
}

function decoded(content: string): Uint8Array<ArrayBuffer> {
  try {
    return Uint8Array.fromBase64(content);
  } catch {
    throw notIt('content', 'bytes in base64');
  }
}

function notIt(field: string, expected: string): AppError {
  return new AppError('invalid_request', `${field}: ${expected}`, { details: { in: 'body', field, expected } });
}

/** In their order. */
export async function listCheckpoints(db: Database, runId: string, page: PageRequest) {
  const window = pageWindow(checkpoints.seq, page, 'oldest');
  const rows = await db
    .select(contractColumns(checkpoints, CheckpointSchema))
    .from(checkpoints)
    .where(and(eq(checkpoints.run_id, runId), window.where))
    .orderBy(window.orderBy)
    .limit(window.limit);
  return toPage(rows, page, (row) => row.seq);
}

/** Throws `checkpoint_not_found`. */
export async function readCheckpoint(
  { env, db }: Pick<Edge, 'env' | 'db'>,
  runId: string,
  seq: number,
): Promise<Checkpoint & { content: string | null }> {
  const { content, in_bucket } = checkpoint_contents;
  const row = await db
    .select({ ...contractColumns(checkpoints, CheckpointSchema), content, in_bucket })
    .from(checkpoints)
    .leftJoin(runs, eq(runs.run_id, checkpoints.run_id))
    .leftJoin(
      checkpoint_contents,
      and(
        eq(checkpoint_contents.task_id, runs.task_id),
        eq(checkpoint_contents.type, checkpoints.type),
        eq(checkpoint_contents.step_id, checkpoints.step_id),
        eq(checkpoint_contents.run_id, checkpoints.run_id),
        eq(checkpoint_contents.seq, checkpoints.seq),
      ),
    )
    .where(and(eq(checkpoints.run_id, runId), eq(checkpoints.seq, seq)))
    .get();
  if (row === undefined) throw new AppError('checkpoint_not_found', `the run ${runId} has no checkpoint ${seq}`);
  const { in_bucket: isInBucket, ...checkpoint } = row;
  if (isInBucket !== true) return checkpoint;
  return { ...checkpoint, content: await readContent(env, checkpoint, checkpoint.sha256) };
}
