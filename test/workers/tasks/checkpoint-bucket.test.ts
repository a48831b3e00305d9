import { env } from 'cloudflare:workers';
import { describe, expect, it } from 'vitest';
import type { ClaimedRun } from '../../../schema/contracts/runs.ts';
import { RETENTION, RUN } from '../../../schema/defaults.ts';
import { OTHER_NODE } from '../support/conductor.ts';
import { rowsOf } from '../support/edge.ts';
import { Tasks } from './support.ts';

const bucket = env.TEST_BUCKET;
const conductor = await new Tasks({ CHECKPOINTS: bucket }).start();
const { edge } = conductor;
/** More than D1 takes. */
const LARGE = RUN.max_checkpoint_bytes + 1;

async function checkpoint(seq: number, size: number, fill: number) {
  const bytes = new Uint8Array(size).fill(fill);
  const sha256 = new Uint8Array(await crypto.subtle.digest('SHA-256', bytes)).toHex();
  return { seq, type: 'git_diff', size, sha256, truncated: false, content: bytes.toBase64() };
}
const keys = async () => (await bucket.list()).objects.map(({ key }) => key);
const keyOf = ({ run_id }: ClaimedRun, seq: number) => `checkpoints/${run_id}/${seq}`;
const path = ({ run_id }: ClaimedRun, seq: number) => `/v1/runs/${run_id}/checkpoints/${seq}`;

async function running(): Promise<ClaimedRun> {
  await conductor.create();
  return conductor.claimed();
}

describe('a large checkpoint at an edge with a bucket', () => {
  it('is kept there, named to its node as possible, and read by the node that continues', async () => {
    const run = await running();
    expect(run.max_checkpoint_bytes).toBe(RUN.max_bucket_checkpoint_bytes);
    const patch = await checkpoint(1, LARGE, 7);
    await conductor.report(run, 'checkpoint', patch);
    expect(await keys()).toEqual([keyOf(run, 1)]);
    const where = 'FROM checkpoint_contents WHERE run_id = ?';
    expect(await rowsOf(`SELECT content, in_bucket ${where}`, run.run_id)).toEqual([{ content: '', in_bucket: 1 }]);
    await conductor.fail(run, { status: 'lost', error_code: 'handed_over' });
    const next = await conductor.claimed({ term: undefined }, OTHER_NODE);
    expect(next.worktree.patch_checkpoint_id).toBe(`${run.run_id}/1`);
    const token = await conductor.token(OTHER_NODE);
    const { content } = await edge.data<{ content: string }>('GET', path(run, 1), { token });
    expect(content === patch.content, 'byte for byte').toBe(true);
    await conductor.complete(next, {}, OTHER_NODE);
  });

  it('is deleted there when a newer one of its step replaces it, whether that is large or not', async () => {
    const run = await running();
    await conductor.report(run, 'checkpoint', await checkpoint(1, LARGE, 1));
    await conductor.report(run, 'checkpoint', await checkpoint(2, LARGE, 2));
    await conductor.report(run, 'checkpoint', await checkpoint(1, LARGE, 1));
    expect(await keys()).toContain(keyOf(run, 2));
    await conductor.report(run, 'checkpoint', await checkpoint(3, 10, 3));
    expect(await keys()).not.toContain(keyOf(run, 2));
    expect(await edge.data('GET', path(run, 3))).toMatchObject({ content: new Uint8Array(10).fill(3).toBase64() });
    expect(await edge.data('GET', path(run, 2))).toMatchObject({ content: null });
    await conductor.complete(run);
  });

  it('that was altered there is not given out, and one that is gone has no content', async () => {
    const run = await running();
    await conductor.report(run, 'checkpoint', await checkpoint(1, LARGE, 4));
    await bucket.put(keyOf(run, 1), 'another patch');
    expect(await edge.error('GET', path(run, 1))).toMatchObject({ status: 500, error: 'internal' });
    await bucket.delete(keyOf(run, 1));
    expect(await edge.data('GET', path(run, 1))).toMatchObject({ content: null });
    await conductor.complete(run);
  });

  it('is refused when its content is not what it says, or is larger than the bucket takes, and nothing is kept', async () => {
    const run = await running();
    const honest = await checkpoint(1, LARGE, 5);
    const before = await keys();
    const refuse = (more: object) => conductor.refused(run, 'checkpoint', { ...honest, ...more });
    expect(await refuse({ sha256: 'a'.repeat(64) })).toMatchObject({ status: 400, details: { field: 'sha256' } });
    expect(await refuse({ content: `${honest.content}=` })).toMatchObject({
      status: 400,
      details: { field: 'content' },
    });
    const tooLarge = await checkpoint(1, RUN.max_bucket_checkpoint_bytes + 1, 5);
    expect(await conductor.refused(run, 'checkpoint', tooLarge)).toMatchObject({ error: 'payload_too_large' });
    expect(await keys()).toEqual(before);
    await conductor.complete(run);
  });

  it('is deleted with its task, also what no row names', async () => {
    const run = await running();
    await conductor.report(run, 'checkpoint', await checkpoint(1, LARGE, 6));
    await bucket.put(keyOf(run, 99), 'left behind');
    await conductor.complete(run);
    await rowsOf('UPDATE tasks SET finished_at = ? WHERE task_id = ?', edge.now - RETENTION.task_ms - 1, run.task_id);
    await conductor.tick();
    expect((await keys()).filter((key) => key.includes(run.run_id))).toEqual([]);
    expect(await rowsOf('SELECT 1 FROM runs WHERE run_id = ?', run.run_id)).toEqual([]);
  });
});

it('an edge without a bucket names the limit of D1, and refuses more', async () => {
  const plain = await new Tasks().start();
  await plain.create();
  const run = await plain.claimed({ claim_key: 'without-a-bucket' });
  expect(run.max_checkpoint_bytes).toBe(RUN.max_checkpoint_bytes);
  const patch = await checkpoint(1, LARGE, 8);
  expect(await plain.refused(run, 'checkpoint', patch)).toMatchObject({ error: 'payload_too_large' });
  const { content: _content, ...marked } = { ...patch, truncated: true };
  expect(await plain.report(run, 'checkpoint', marked)).toMatchObject({ checkpoint_seq: 1 });
});
