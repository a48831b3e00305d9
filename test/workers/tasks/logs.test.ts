import { sql } from 'drizzle-orm';
import { describe, expect, it } from 'vitest';
import { RUN } from '../../../schema/defaults.ts';
import { openDatabase } from '../../../workers/db/open.ts';
import { streamLog } from '../../../workers/tasks/log-stream.ts';
import { OTHER_NODE } from '../support/conductor.ts';
import { rowsOf } from '../support/edge.ts';
import { SHELL, Tasks } from './support.ts';

const conductor = await new Tasks().start();
const { edge } = conductor;
const textOf = async (path: string) => (await edge.call('GET', path)).text;

async function running(more: Record<string, unknown> = {}) {
  await conductor.create(more);
  return conductor.claimed();
}

describe('the log of a run', () => {
  it('is the text of its output in the order of arrival, from any byte on', async () => {
    const run = await running();
    await conductor.logs(run, 'stdout', 0, 'one\n');
    await conductor.logs(run, 'stderr', 0, 'oops\n');
    await conductor.logs(run, 'stdout', 4, 'two\n');
    expect(await textOf(`/v1/tasks/${run.task_id}/logs`)).toBe('one\noops\ntwo\n');
    expect(await textOf(`/v1/tasks/${run.task_id}/logs?offset=6`)).toBe('ps\ntwo\n');
    expect(await textOf(`/v1/runs/${run.run_id}/logs?stream=stdout`)).toBe('one\ntwo\n');
    expect(await textOf(`/v1/runs/${run.run_id}/logs?stream=stderr`)).toBe('oops\n');
    expect(await edge.data('GET', `/v1/runs/${run.run_id}`)).toMatchObject({
      task_status: 'running',
      log: { stdout: { bytes: 8, dropped_bytes: 0 }, stderr: { bytes: 5 } },
    });
    await conductor.complete(run);
  });

  it('has lifecycle events beside the output', async () => {
    const run = await running();
    await conductor.logs(run, 'lifecycle', 0, 'run_prepared\n');
    await conductor.logs(run, 'stdout', 0, 'out\n');
    expect(await textOf(`/v1/runs/${run.run_id}/logs?stream=lifecycle`)).toBe('run_prepared\n');
    expect(await textOf(`/v1/tasks/${run.task_id}/logs`)).toBe('out\n');
    await conductor.complete(run);
  });

  it('takes repeats once, and names where the next byte belongs when some are missing', async () => {
    const run = await running();
    await conductor.logs(run, 'stdout', 0, 'hello');
    expect(await conductor.logs(run, 'stdout', 0, 'hello world')).toMatchObject({ received: { stdout: 11 } });
    await conductor.logs(run, 'stdout', 0, 'hello');
    const chunks = [{ stream: 'stdout', offset: 20, data: btoa('x') }];
    const refused = await conductor.refused(run, 'logs', { chunks });
    expect(refused).toMatchObject({ status: 409, error: 'conflict', details: { expected_offset: 11 } });
    expect(await textOf(`/v1/tasks/${run.task_id}/logs`)).toBe('hello world');
    await conductor.complete(run);
  });

  it('does not begin where the sum of its streams would no longer be exact', async () => {
    const run = await running();
    const chunks = [{ stream: 'stdout', offset: Number.MAX_SAFE_INTEGER - 1, data: btoa('x'), skips: true }];
    expect(await conductor.refused(run, 'logs', { chunks })).toMatchObject({ error: 'invalid_request' });
    await conductor.complete(run);
  });

  it('keeps all that two requests bring at once, and the same bytes once', async () => {
    const run = await running();
    await conductor.logs(run, 'stdout', 0, 'a');
    await edge.race(
      () => conductor.logs(run, 'stdout', 1, 'bc'),
      async () => {
        await conductor.logs(run, 'stderr', 0, 'E');
        await conductor.logs(run, 'stdout', 1, 'b');
      },
    );
    expect(await textOf(`/v1/tasks/${run.task_id}/logs`)).toBe('aEbc');
    await conductor.complete(run);
  });

  it('keeps bytes that are no text as they came', async () => {
    const run = await running();
    const bytes = [0, 255, 254, 10, 0xc3];
    const data = btoa(String.fromCharCode(...bytes));
    await conductor.report(run, 'logs', { chunks: [{ stream: 'stdout', offset: 0, data }] });
    const response = await edge.fetch(`/v1/runs/${run.run_id}/logs`, {
      headers: { authorization: `Bearer ${edge.env.BAA_BOOTSTRAP_TOKEN}` },
    });
    expect([...new Uint8Array(await response.arrayBuffer())]).toEqual(bytes);
    await conductor.complete(run);
  });

  it('takes nothing more of a run that is over', async () => {
    const run = await running();
    await conductor.complete(run);
    const chunks = [{ stream: 'stdout', offset: 0, data: btoa('late') }];
    expect(await conductor.refused(run, 'logs', { chunks })).toMatchObject({ status: 409, error: 'stale_run' });
  });

  it('keeps the beginning and the end of a long output, and says how much is between', async () => {
    const run = await running();
    const size = RUN.max_log_request_bytes;
    const requests = 8;
    for (let at = 0; at < requests; at += 1) {
      await conductor.logs(run, 'stdout', at * size, String(at).repeat(size));
    }
    const text = await textOf(`/v1/tasks/${run.task_id}/logs`);
    expect(text.startsWith('0'.repeat(size) + '1'.repeat(size))).toBe(true);
    expect(text.endsWith('6'.repeat(size) + '7'.repeat(size))).toBe(true);
    const missing = Number(/\[(\d+) bytes are not kept here/.exec(text)?.[1]);
    const { log } = await edge.data<{ log: { stdout: object } }>('GET', `/v1/runs/${run.run_id}`);
    expect(log.stdout).toEqual({ bytes: requests * size, dropped_bytes: missing });
    const [stored] = await rowsOf<{ bytes: number; rows: number }>(
      'SELECT sum(bytes) AS bytes, count(*) AS rows FROM run_logs WHERE run_id = ?',
      run.run_id,
    );
    expect(stored?.bytes).toBe(requests * size - missing);
    // A stream that has lost nothing says nothing of what another one has lost.
    await conductor.logs(run, 'stderr', 0, 'oops\n');
    expect(await textOf(`/v1/runs/${run.run_id}/logs?stream=stderr`)).toBe('oops\n');
    expect(await textOf(`/v1/runs/${run.run_id}/logs?stream=stdout`)).toBe(text);
    expect(stored?.bytes).toBeLessThanOrEqual(RUN.log_head_bytes + RUN.log_tail_bytes + RUN.log_row_bytes);
    await conductor.complete(run);
  });
});

describe('following the log of a task', () => {
  it('sends what comes, across its runs, and closes when the task has ended', async () => {
    const run = await running({ steps: [SHELL, SHELL] });
    await conductor.logs(run, 'stdout', 0, 'first\n');
    const response = await edge.fetch(
      `/v1/tasks/${run.task_id}/logs?follow=1`,
      { headers: { authorization: `Bearer ${edge.env.BAA_BOOTSTRAP_TOKEN}` } },
      false,
    );
    expect(response.headers.get('content-type')).toBe('text/plain; charset=utf-8');
    const reader = (response.body as ReadableStream<Uint8Array>).getReader();
    const decoder = new TextDecoder();
    expect(decoder.decode((await reader.read()).value)).toBe('first\n');
    await conductor.complete(run);
    const next = await conductor.claimed();
    await conductor.logs(next, 'stdout', 0, 'second\n');
    await conductor.complete(next);
    let rest = '';
    for (let part = await reader.read(); !part.done; part = await reader.read()) rest += decoder.decode(part.value);
    expect(rest).toBe('second\n');
  });

  it('breaks off when the token of the reader is revoked, so that a part is not taken for the whole', async () => {
    const run = await running();
    await conductor.logs(run, 'stdout', 0, 'begun\n');
    const { token, token_id } = await edge.mint('readonly');
    const path = `/v1/tasks/${run.task_id}/logs?follow=1`;
    const response = await edge.fetch(path, { headers: { authorization: `Bearer ${token}` } }, false);
    const reader = (response.body as ReadableStream<Uint8Array>).getReader();
    await reader.read();
    await edge.data('DELETE', `/v1/tokens/${token_id}`);
    await expect(reader.read()).rejects.toThrow('not valid any more');
    await conductor.complete(run);
  });

  /** Follows the log through a stream after the other, as readers do; resolves with the text and the statements of each. */
  async function follow(task_id: string, streams: number) {
    let text = '';
    let position = 0;
    const queries: number[] = [];
    for (let n = 0; n < streams; n += 1) {
      const db = openDatabase(edge.env.DB);
      const write = async (part: Uint8Array | string) => {
        text += typeof part === 'string' ? part : new TextDecoder().decode(part);
        position += part.length;
      };
      const sink = { isGone: false, write, sleep: async () => undefined };
      const request = { of: { task_id }, offset: position, follow: true, mayRead: () => sql<number>`1`.as('may_read') };
      await expect(async () => streamLog(sink, db, request)).rejects.toThrow('continue with offset');
      queries.push(db.usage.queries);
    }
    return { text, queries };
  }

  it('ends each stream before the free plan would, while nothing is printed', async () => {
    const run = await running();
    const { text, queries } = await follow(run.task_id, 2);
    expect(text).toBe('');
    expect(Math.max(...queries)).toBeLessThan(50);
    await conductor.complete(run);
  });

  it('ends each stream before the free plan would, and the next one continues a long log', async () => {
    const run = await running();
    await conductor.logs(run, 'stdout', 0, 'a');
    const rows = 16 * 60;
    await rowsOf(
      `WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?)
      INSERT INTO run_logs (run_id, log, position, stream, start, data, bytes)
      SELECT run_id, log, i, stream, i, data, bytes FROM run_logs JOIN n WHERE run_id = ?`,
      rows,
      run.run_id,
    );
    await rowsOf(
      "UPDATE runs SET log = json_set(log, '$.logs.output.position', ?) WHERE run_id = ?",
      rows + 1,
      run.run_id,
    );
    const { text, queries } = await follow(run.task_id, 3);
    expect(text).toBe('a'.repeat(rows + 1));
    expect(Math.max(...queries)).toBeLessThan(50);
    await conductor.complete(run);
  });

  it('is refused for a task that does not exist', async () => {
    const path = '/v1/tasks/task_00000000000000000000000000/logs?follow=1';
    expect(await edge.error('GET', path)).toMatchObject({ status: 404, error: 'task_not_found' });
  });
});

describe('checkpoints', () => {
  const hashOf = async (text: string) => {
    const digest = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(text));
    return [...new Uint8Array(digest)].map((byte) => byte.toString(16).padStart(2, '0')).join('');
  };
  const checkpoint = async (seq: number, type: string, text: string, truncated = false) => ({
    seq,
    type,
    size: text.length,
    sha256: await hashOf(text),
    truncated,
    content: btoa(text),
  });

  it('keep the content of the last whole one of each type, which the next host starts from', async () => {
    const run = await running();
    await conductor.report(run, 'checkpoint', await checkpoint(1, 'git_diff', 'an old patch'));
    await conductor.report(run, 'checkpoint', await checkpoint(2, 'git_diff', 'the patch'));
    await conductor.report(run, 'checkpoint', await checkpoint(3, 'summary', 'halfway'));
    await conductor.report(run, 'checkpoint', await checkpoint(4, 'git_diff', 'a cut pa', true));
    await conductor.report(run, 'checkpoint', await checkpoint(1, 'git_diff', 'an old patch'));
    const { items } = await edge.data<{ items: { seq: number; type: string; truncated: boolean }[] }>(
      'GET',
      `/v1/runs/${run.run_id}/checkpoints`,
    );
    expect(items.map(({ seq, truncated }) => [seq, truncated])).toEqual([
      [1, false],
      [2, false],
      [3, false],
      [4, true],
    ]);
    const contentOf = async (seq: number) =>
      (await edge.data<{ content: string | null }>('GET', `/v1/runs/${run.run_id}/checkpoints/${seq}`)).content;
    expect([await contentOf(1), await contentOf(2), await contentOf(4)]).toEqual([null, btoa('the patch'), null]);
    expect(await edge.data('GET', `/v1/runs/${run.run_id}`)).toMatchObject({ checkpoint_seq: 4 });
    await conductor.fail(run, { status: 'lost', error_code: 'handed_over' });
    await edge.data('POST', '/v1/leader/release', {
      token: await conductor.token(),
      body: { controller_id: 'mini-main', term: conductor.term },
    });
    await conductor.leads(OTHER_NODE);
    const taken = await conductor.claimed({}, OTHER_NODE);
    expect(taken.worktree.patch_checkpoint_id).toBe(`${run.run_id}/2`);
    const token = await conductor.token(OTHER_NODE);
    const patch = await edge.data('GET', `/v1/runs/${run.run_id}/checkpoints/2`, { token });
    expect(patch).toMatchObject({ content: btoa('the patch'), sha256: await hashOf('the patch') });
    await conductor.complete(taken, {}, OTHER_NODE);
  });

  it('of a run are read by its node and by the one that continues its task, and by no other', async () => {
    const { items } = await edge.data<{ items: { task_id: string }[] }>('GET', '/v1/tasks?limit=1');
    const { runs } = await conductor.detail(items[0]?.task_id ?? '');
    const path = `/v1/runs/${runs[0]?.run_id}/checkpoints`;
    const { token } = await edge.mint('controller', { controller_id: 'stranger' });
    expect(await edge.error('GET', path, { token })).toMatchObject({ status: 403, error: 'not_owner' });
    expect(await edge.data('GET', path, { token: await conductor.token() })).toMatchObject({ next_cursor: null });
  });

  it('are refused when their content is not what they say', async () => {
    await conductor.create();
    const run = await conductor.claimed({}, OTHER_NODE);
    const honest = await checkpoint(1, 'git_diff', 'a patch');
    const refuse = (more: object) => conductor.refused(run, 'checkpoint', { ...honest, ...more }, OTHER_NODE);
    expect(await refuse({ size: 3 })).toMatchObject({ status: 400, details: { field: 'size' } });
    expect(await refuse({ sha256: 'a'.repeat(64) })).toMatchObject({ status: 400, details: { field: 'sha256' } });
    expect(await refuse({ content: undefined })).toMatchObject({ status: 400, details: { field: 'content' } });
  });
});
