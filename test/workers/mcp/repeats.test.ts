import canonicalize from 'canonicalize';
import { beforeAll, describe, expect, it } from 'vitest';
import { COUNTER } from '../../../schema/domain/counters.ts';
import { sha256Hex } from '../../../workers/crypto/hash.ts';
import { METER } from '../../../workers/db/meter.ts';
import { Conductor } from '../support/conductor.ts';
import { NODE, rowsOf } from '../support/edge.ts';
import { call, claim, connect, eventually, nextCall, post, runNext } from './support.ts';

const conductor = new Conductor();
let token: string;
beforeAll(async () => {
  await conductor.act('/v1/controllers/heartbeat', { host: 'mini', role: 'primary', priority: 1, status: 'standby' });
  await conductor.heard(NODE);
  token = (await conductor.edge.mint('browser_admin')).token;
});

let calls = 0;
/** A call that no other test makes. */
function exec(): { name: string; args: object } {
  calls += 1;
  return { name: 'exec', args: { argv: ['echo', String(calls)] } };
}

/** Instructions with these params. */
async function instructionsOf({ args }: { args: object }): Promise<string[]> {
  const rows = await rowsOf<{ instruction_id: string }>(
    'SELECT instruction_id FROM mcp_calls WHERE params = ? AND instruction_id IS NOT NULL',
    JSON.stringify(args),
  );
  return rows.map((row) => row.instruction_id);
}

describe('the same call twice', () => {
  it('is one HTTP request once more: one effect, and the same result', async () => {
    const one = exec();
    const first = post(conductor, token, { id: 7, ...one });
    const { instruction_id } = await runNext(conductor, { output: 'once' });
    const results = [await first, await post(conductor, token, { id: 7, ...one })];
    expect(results.map(({ data }) => data)).toMatchObject([
      { instruction_id, output: 'once' },
      { instruction_id, output: 'once', repeated: true },
    ]);
    expect(await instructionsOf(one)).toEqual([instruction_id]);
  });

  it('sent at the same moment has one effect', async () => {
    const one = exec();
    const both = [post(conductor, token, { id: 1, ...one }), post(conductor, token, { id: 1, ...one })];
    const { instruction_id } = await runNext(conductor);
    const results = await Promise.all(both);
    expect(results.map(({ data }) => data.instruction_id)).toEqual([instruction_id, instruction_id]);
    expect(await instructionsOf(one)).toHaveLength(1);
  });

  it('through two sessions with other ids joins the one in progress', async () => {
    const one = exec();
    const first = post(conductor, token, { id: 1, ...one });
    const given = await nextCall(conductor);
    const second = post(conductor, token, { id: 900, ...one });
    await claim(conductor, given);
    await conductor.result(given.instruction_id);
    expect((await first).data.repeated).toBeUndefined();
    expect((await second).data).toMatchObject({ instruction_id: given.instruction_id, repeated: true });
    expect(await instructionsOf(one)).toHaveLength(1);
  });

  it('is another call two seconds after the end, under another id', async () => {
    const one = exec();
    const first = post(conductor, token, { id: 1, ...one });
    await runNext(conductor);
    await first;
    conductor.edge.now += 2_001;
    const second = post(conductor, token, { id: 2, ...one });
    await runNext(conductor);
    expect((await second).data.repeated).toBeUndefined();
    expect(await instructionsOf(one)).toHaveLength(2);
  });

  it('is found behind all that fit into its minute under other ids', async () => {
    const one = exec();
    const first = post(conductor, token, { id: 1, ...one });
    const { instruction_id } = await runNext(conductor);
    await first;
    for (let id = 2; id <= 12; id += 1) {
      conductor.edge.now += 2_001;
      const next = post(conductor, token, { id, ...one });
      await runNext(conductor);
      await next;
    }
    const again = await post(conductor, token, { id: 1, ...one });
    expect(again.data).toMatchObject({ instruction_id, repeated: true });
  });

  it('of two clients that number alike is two calls: with other tokens, and with other arguments', async () => {
    const other = (await conductor.edge.mint('browser_admin')).token;
    const one = exec();
    const mine = post(conductor, token, { id: 1, ...one });
    const { instruction_id } = await runNext(conductor);
    await mine;
    const theirs = post(conductor, other, { id: 1, ...one });
    const second = await runNext(conductor);
    expect((await theirs).data).toMatchObject({ instruction_id: second.instruction_id });
    expect(second.instruction_id).not.toBe(instruction_id);
    const third = post(conductor, token, { id: 1, ...exec() });
    expect((await runNext(conductor)).instruction_id).not.toBe(instruction_id);
    expect((await third).data.repeated).toBeUndefined();
  });

  it('that only reads is two calls', async () => {
    const read = { name: 'files_read', args: { path: 'a.txt' } };
    const first = post(conductor, token, { id: 1, ...read });
    const one = await runNext(conductor);
    await first;
    const second = post(conductor, token, { id: 1, ...read });
    const two = await runNext(conductor);
    expect((await second).data).toMatchObject({ instruction_id: two.instruction_id });
    expect(two.instruction_id).not.toBe(one.instruction_id);
  });
});

describe('an operation id', () => {
  const meta = (operation_id: string) => ({ meta: { operation_id } });

  it('names the call for a week, with any JSON-RPC id', async () => {
    const one = exec();
    const first = post(conductor, token, { id: 1, ...one, ...meta('op-1') });
    const { instruction_id } = await runNext(conductor);
    await first;
    conductor.edge.now += 6 * 86_400_000;
    const again = await post(conductor, token, { id: 2, ...one, ...meta('op-1') });
    expect(again.data).toMatchObject({ instruction_id, repeated: true });
  });

  it('keeps two calls apart that are alike', async () => {
    const one = exec();
    const first = post(conductor, token, { id: 1, ...one, ...meta('op-2') });
    const given = await nextCall(conductor);
    await claim(conductor, given);
    const second = post(conductor, token, { id: 1, ...one, ...meta('op-3') });
    const { instruction_id } = await nextCall(conductor);
    expect(instruction_id).not.toBe(given.instruction_id);
    await claim(conductor, { ...(await nextCall(conductor)) }, 'deny');
    await conductor.result(given.instruction_id);
    expect((await first).data.status).toBe('succeeded');
    expect((await second).data.status).toBe('denied');
  });

  it('of many calls alike does not hide an earlier one without', async () => {
    const one = exec();
    const first = post(conductor, token, { id: 5, ...one });
    const { instruction_id } = await runNext(conductor);
    await first;
    await rowsOf(
      `WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 40)
      INSERT INTO mcp_calls (message_id, token_id, subject, operation_id, request_id, call_hash, mcp_tool, params, created_at, ended_at)
      SELECT 'named_' || i, token_id, subject, 'named-' || i, '1', call_hash, mcp_tool, '{}', created_at, created_at
      FROM mcp_calls JOIN n WHERE instruction_id = ?`,
      instruction_id,
    );
    const again = await post(conductor, token, { id: 5, ...one });
    expect(again.data).toMatchObject({ instruction_id, repeated: true });
  });

  it('of another call is refused', async () => {
    const first = post(conductor, token, { ...exec(), ...meta('op-4') });
    await runNext(conductor);
    await first;
    const refused = await post(conductor, token, { ...exec(), ...meta('op-4') });
    expect(refused).toMatchObject({ isError: true, data: { error: 'conflict' } });
  });
});

describe('a write at the edge', () => {
  it('is done once, however often it is sent', async () => {
    const { client } = await connect(conductor, { token });
    const paused = await call(client, 'system_pause', { reason: 'a test' });
    expect(paused).toMatchObject({ isError: false, data: { mode: 'paused' } });
    const again = await call(client, 'system_pause', { reason: 'a test' });
    expect(again.data).toEqual({ ...paused.data, repeated: true });
    const audited = await rowsOf("SELECT 1 FROM audit WHERE action = 'MCP system_pause'");
    expect(audited).toHaveLength(1);
    expect((await call(client, 'system_resume')).data.mode).toBe('running');
    await eventually(async () => ((await call(client, 'status')).data.mode === 'running' ? true : undefined));
  });
});

describe('a call', () => {
  let takenAt = Number.MAX_SAFE_INTEGER / 2;
  /** The rows of D1 that were read since the last time. */
  const takeRows = (): number => {
    takenAt += 1_000_000;
    return METER.take(takenAt)?.[COUNTER.rows_read] ?? 0;
  };
  const resume = async (operation_id?: string): Promise<number> => {
    takeRows();
    const meta = operation_id === undefined ? {} : { meta: { operation_id } };
    const { data } = await post(conductor, token, { name: 'system_resume', ...meta });
    expect(data.mode).toBe('running');
    return takeRows();
  };

  it('reads no more rows when many calls alike are stored', async () => {
    await resume('few-1');
    const few = await resume('few-2');
    expect(few).toBeGreaterThan(0);
    await rowsOf(`WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 500)
      INSERT INTO mcp_calls (message_id, token_id, subject, operation_id, request_id, call_hash, mcp_tool, params, created_at)
      SELECT 'msg_' || i, token_id, subject, 'many-' || i, '1', call_hash, mcp_tool, '{}', created_at
      FROM mcp_calls JOIN n WHERE operation_id = 'few-1'`);
    expect(await resume('many')).toBeLessThan(few + 50);
    expect(await resume()).toBeLessThan(few + 50);
  });

  it('that only reads and has no name looks at no earlier ones', async () => {
    const one = { name: 'files_read', args: { path: 'a.txt', node: 'no-such-node' } };
    const read = async (): Promise<number> => {
      takeRows();
      expect((await post(conductor, token, one)).data.error).toBe('controller_not_found');
      return takeRows();
    };
    await resume('a-write');
    await read();
    const few = await read();
    const call_hash = await sha256Hex(canonicalize([one.name, one.args]) ?? '');
    await rowsOf(
      `WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 40)
      INSERT INTO mcp_calls (message_id, token_id, subject, request_id, call_hash, mcp_tool, params, created_at)
      SELECT 'read_' || i, token_id, subject, '1', ?, 'files_read', '{}', created_at
      FROM mcp_calls JOIN n WHERE operation_id = 'a-write'`,
      call_hash,
    );
    expect(await read()).toBe(few);
  });
});
