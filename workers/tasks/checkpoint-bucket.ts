/**
 * Contents of checkpoints that are too large for D1, in the bucket `CHECKPOINTS` when the edge has one. The key derives from
 * the run and the number, so an object is written before the rows that name it, and one without rows is found at the end of
 * its task.
 */
import { RUN } from '../../schema/defaults.ts';
import { AppError } from '../../schema/errors.ts';
import { sha256Hex } from '../crypto/hash.ts';

/** Objects that one request lists and deletes. */
const PAGE = 1_000;

interface Named {
  run_id: string;
  seq: number;
}

const prefixOf = (runId: string) => `checkpoints/${runId}/`;
const keyOf = ({ run_id, seq }: Named) => `${prefixOf(run_id)}${seq}`;

/** The most bytes of a checkpoint that this edge keeps. */
export function maxCheckpointBytes({ CHECKPOINTS }: Env): number {
  return CHECKPOINTS === undefined ? RUN.max_checkpoint_bytes : RUN.max_bucket_checkpoint_bytes;
}

export async function putContent({ CHECKPOINTS }: Env, named: Named, bytes: Uint8Array): Promise<void> {
  await CHECKPOINTS?.put(keyOf(named), bytes);
}

/** In base64; null when the bucket has it no more. Throws for bytes that are not those that were stored. */
export async function readContent({ CHECKPOINTS }: Env, named: Named, sha256: string): Promise<string | null> {
  const object = (await CHECKPOINTS?.get(keyOf(named))) ?? null;
  if (object === null) return null;
  const bytes = new Uint8Array(await object.arrayBuffer());
  if ((await sha256Hex(bytes)) === sha256) return bytes.toBase64();
  throw new AppError(
    'internal',
    `the content of the checkpoint ${named.run_id}/${named.seq} was altered in its bucket`,
  );
}

export async function deleteContent({ CHECKPOINTS }: Env, named: Named): Promise<void> {
  await CHECKPOINTS?.delete(keyOf(named));
}

/** Deletes what the bucket has of those runs. */
export async function deleteContentsOf({ CHECKPOINTS }: Env, runIds: readonly string[]): Promise<void> {
  if (CHECKPOINTS === undefined) return;
  for (const runId of runIds) {
    const { objects } = await CHECKPOINTS.list({ prefix: prefixOf(runId), limit: PAGE });
    if (objects.length > 0) await CHECKPOINTS.delete(objects.map(({ key }) => key));
  }
}
