import { env } from 'cloudflare:workers';
import { sql } from 'drizzle-orm';
import { describe, expect, it } from 'vitest';
import { fence } from '../../../schema/tables/index.ts';
import type { Database } from '../../../workers/db/open.ts';
import { openDatabase } from '../../../workers/db/open.ts';
import { browserOf, statusesOf } from '../instructions/support.ts';
import { muteLog } from '../objects/support.ts';
import { Conductor, EXEC, instructionsOf } from '../support/conductor.ts';
import { EVENTS, NODE, rowsOf } from '../support/edge.ts';

const conductor = new Conductor();
const { edge } = conductor;
const NEW_TOKEN = { body: { role: 'readonly', subject: 'a screen' } };

describe('a race in a test', () => {
  it('runs the rival between the reads and the commit of the write', async () => {
    const order: string[] = [];
    await edge.race(
      async () => {
        await edge.mint('readonly');
        order.push('write');
      },
      async () => order.push('rival'),
    );
    expect(order).toEqual(['rival', 'write']);
  });

  it('fails when the write changes nothing', async () => {
    const read = () => edge.data('GET', '/v1/tokens');
    await expect(edge.race(read, async () => {})).rejects.toThrow('no batch');
  });

  it('fails when the rival fails', async () => {
    const rival = async () => {
      throw new Error('the rival failed');
    };
    const log = muteLog();
    await expect(edge.race(() => edge.call('POST', '/v1/tokens', NEW_TOKEN), rival)).rejects.toThrow(
      'the rival failed',
    );
    log.mockRestore();
  });
});

describe('a guard', () => {
  it('of the mode version makes an ingest decide again when the system is paused before its commit', async () => {
    const message = conductor.message({ instructions: instructionsOf(EXEC) });
    await conductor.token();
    const { message_id } = await edge.race(
      () => conductor.bring(message),
      () => conductor.mode('pause'),
      /insert into "?messages/i,
    );
    expect(await statusesOf(message_id)).toEqual(['blocked']);
    await conductor.mode('resume');
  });

  it('of the pause refuses a prompt when the system is paused before its commit', async () => {
    await browserOf(conductor, NODE, 'firefox-1');
    const send = () => edge.error('POST', '/v1/browser/chatgpt/send', { body: { prompt: 'hello' } });
    expect(await edge.race(send, () => conductor.mode('pause'))).toMatchObject({ status: 409, error: 'system_paused' });
    expect(await rowsOf("SELECT 1 FROM commands WHERE kind = 'instruction'")).toEqual([]);
    await conductor.mode('resume');
  });

  it('on a row makes a rotation decide again when the token is revoked before its commit', async () => {
    const { token_id } = await edge.mint('readonly');
    const rotate = () => edge.error('POST', `/v1/tokens/${token_id}/rotate`, { body: {} });
    const revoke = () => edge.data('DELETE', `/v1/tokens/${token_id}`);
    expect(await edge.race(rotate, revoke)).toMatchObject({ status: 409, error: 'conflict' });
    expect(await rowsOf(`SELECT 1 FROM ${EVENTS} WHERE type = 'rotated'`)).toEqual([]);
  });
});

describe('a repeat that is committed before the write', () => {
  it('gives both requests with the same idempotency key one response and one effect', async () => {
    const create = () =>
      edge.data('POST', '/v1/tokens', {
        body: { role: 'readonly', subject: 'twin' },
        headers: { 'idempotency-key': 'twin' },
      });
    let rival: unknown;
    const write = await edge.race(create, async () => {
      rival = await create();
    });
    expect(write).toEqual(rival);
    expect(await rowsOf("SELECT 1 FROM tokens WHERE subject = 'twin'")).toHaveLength(1);
  });

  it('gives both requests with the same outbox row one response and one effect', async () => {
    const token = await conductor.token();
    const heartbeat = () =>
      edge.data('POST', '/v1/controllers/heartbeat', {
        token,
        headers: { 'idempotency-key': '11111111-2222-3333-4444-555555555555/node/1' },
        body: { controller_id: NODE, host: 'twin', role: 'primary', priority: 100, status: 'standby' },
      });
    let rival: unknown;
    const write = await edge.race(heartbeat, async () => {
      rival = await heartbeat();
    });
    expect(write).toEqual(rival);
    expect(await rowsOf("SELECT 1 FROM audit WHERE action = 'POST /v1/controllers/heartbeat'")).toHaveLength(1);
  });
});

describe('the usage of a database', () => {
  const fences = (db: Database) => db.select({ mode: fence.mode }).from(fence);

  it('counts every statement with the rows that D1 reports', async () => {
    const db = openDatabase(env.DB);
    expect(await fences(db)).toEqual([{ mode: 'running' }]);
    expect(db.usage).toEqual({ queries: 1, rows_read: 1, rows_written: 0 });
    await db.batch([fences(db), fences(db)]);
    expect(db.usage).toEqual({ queries: 3, rows_read: 3, rows_written: 0 });
    await db.run(sql`UPDATE fence SET updated_at = 1`);
    expect(db.usage).toEqual({ queries: 4, rows_read: 4, rows_written: 1 });
  });

  it('is not counted for a query that selects two columns of one name: the test run refuses it', async () => {
    const db = openDatabase(env.DB);
    const twice = { first: fence.mode, second: fence.mode };
    await expect(db.select(twice).from(fence)).rejects.toThrow();
    await expect(db.batch([db.select(twice).from(fence).limit(1)])).rejects.toThrow('mode twice');
  });
});
