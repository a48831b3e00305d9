import { beforeAll, describe, expect, it } from 'vitest';
import type { Role, TokenCreated } from '../../../schema/contracts/tokens.ts';
import { EVENTS, NODE, rowsOf, TestEdge } from '../support/edge.ts';

const edge = new TestEdge();
let tokens: Record<Role, string>;
beforeAll(async () => {
  tokens = await edge.tokens();
});

const OUTBOX = '11111111-2222-3333-4444-555555555555';
const heartbeat = (seq: number, host: string, outbox = OUTBOX) => ({
  token: tokens.controller,
  headers: { 'idempotency-key': `${outbox}/node/${seq}` },
  body: { controller_id: NODE, host, role: 'primary', priority: 100, status: 'standby' },
});
const beat = (...args: Parameters<typeof heartbeat>) =>
  edge.data('POST', '/v1/controllers/heartbeat', heartbeat(...args));
const refused = (...args: Parameters<typeof heartbeat>) =>
  edge.error('POST', '/v1/controllers/heartbeat', heartbeat(...args));
const hostNow = async () =>
  (await rowsOf<{ host: string }>('SELECT host FROM nodes WHERE controller_id = ?', NODE))[0]?.host;

const make = (subject: string, key: string, token?: string) => ({
  body: { role: 'readonly', subject },
  headers: { 'idempotency-key': key },
  ...(token === undefined ? {} : { token }),
});
const countOf = async (subject: string) => (await rowsOf('SELECT 1 FROM tokens WHERE subject = ?', subject)).length;

describe('an idempotency key', () => {
  it('a repeated key returns the first response and has one effect', async () => {
    const first = await edge.call('POST', '/v1/tokens', make('once', 'k1'));
    edge.now += 1_000;
    const again = await edge.call('POST', '/v1/tokens', make('once', 'k1'));
    expect([first.status, again.status]).toEqual([201, 201]);
    expect(JSON.parse(again.text).data).toEqual(JSON.parse(first.text).data);
    expect(await countOf('once')).toBe(1);
    expect(await rowsOf(`SELECT 1 FROM ${EVENTS} WHERE topic = 'tokens' AND data LIKE '%"once"%'`)).toHaveLength(1);
  });

  it('a key with another body is a conflict and changes nothing', async () => {
    await edge.data('POST', '/v1/tokens', make('before', 'k2'));
    expect(await edge.error('POST', '/v1/tokens', make('after', 'k2'))).toMatchObject({
      status: 409,
      error: 'conflict',
    });
    expect(await countOf('after')).toBe(0);
  });

  it('a key on another path is a conflict', async () => {
    const { token_id } = await edge.data<TokenCreated>('POST', '/v1/tokens', make('pathless', 'k3'));
    const rotate = edge.error('POST', `/v1/tokens/${token_id}/rotate`, { headers: { 'idempotency-key': 'k3' } });
    expect(await rotate).toMatchObject({ error: 'conflict' });
  });

  it('the same key of another token is another write', async () => {
    await edge.data('POST', '/v1/tokens', make('shared', 'k4'));
    await edge.data('POST', '/v1/tokens', make('shared', 'k4', tokens.ops_admin));
    expect(await countOf('shared')).toBe(2);
  });

  it('a key of concurrent requests has one effect and one response', async () => {
    const responses = await Promise.all(
      Array.from({ length: 6 }, () => edge.data('POST', '/v1/tokens', make('race', 'k5'))),
    );
    expect(await countOf('race')).toBe(1);
    for (const response of responses) expect(response).toEqual(responses[0]);
  });

  it('a malformed key is refused by name', async () => {
    expect(await edge.error('POST', '/v1/tokens', make('long', 'k'.repeat(201)))).toMatchObject({
      error: 'invalid_request',
      details: { field: 'idempotency-key' },
    });
  });
});

describe('the rows of an outbox', () => {
  it('a repeated outbox row has one effect, also with another age', async () => {
    const first = await beat(1, 'one');
    edge.now += 60_000;
    const call = heartbeat(1, 'one');
    const again = await edge.data('POST', '/v1/controllers/heartbeat', {
      ...call,
      headers: { ...call.headers, 'x-baa-age-ms': '60000' },
    });
    expect(again).toEqual(first);
  });

  it('outbox rows may skip numbers, and one mark per stream is kept', async () => {
    await beat(2, 'two');
    await beat(7, 'seven');
    expect(await hostNow()).toBe('seven');
    expect(await rowsOf('SELECT seq FROM outbox_marks WHERE controller_id = ?', NODE)).toEqual([{ seq: 7 }]);
  });

  it('an outbox row with another body or an earlier number is an outbox_conflict and changes nothing', async () => {
    expect(await refused(7, 'another')).toMatchObject({ status: 409, error: 'outbox_conflict' });
    expect(await refused(3, 'late')).toMatchObject({ status: 409, error: 'outbox_conflict' });
    expect(await hostNow()).toBe('seven');
  });

  it('outbox rows of two nodes with the same outbox id are different rows', async () => {
    const { token } = await edge.mint('controller', { controller_id: 'mac-main' });
    const call = heartbeat(7, 'mac');
    const body = { ...call.body, controller_id: 'mac-main' };
    await edge.data('POST', '/v1/controllers/heartbeat', { ...call, token, body });
    expect(await hostNow()).toBe('seven');
    expect(await rowsOf('SELECT controller_id, seq FROM outbox_marks ORDER BY controller_id')).toEqual([
      { controller_id: 'mac-main', seq: 7 },
      { controller_id: NODE, seq: 7 },
    ]);
  });

  it('a new outbox starts its numbers again', async () => {
    await beat(1, 'reinstalled', 'aaaaaaaa-2222-3333-4444-555555555555');
    expect(await hostNow()).toBe('reinstalled');
  });

  it('an outbox row sent three times at once has one effect', async () => {
    const before = (await rowsOf('SELECT 1 FROM event_batches')).length;
    const call = { ...heartbeat(20, 'race'), body: { ...heartbeat(20, 'race').body, status: 'degraded' } };
    const responses = await Promise.all([1, 2, 3].map(() => edge.data('POST', '/v1/controllers/heartbeat', call)));
    for (const response of responses) expect(response).toEqual(responses[0]);
    expect((await rowsOf('SELECT 1 FROM event_batches')).length).toBe(before + 1);
  });
});

describe('an age', () => {
  it('an age that is not a number is refused by name', async () => {
    const call = heartbeat(30, 'x');
    const headers = { ...call.headers, 'x-baa-age-ms': 'old' };
    expect(await edge.error('POST', '/v1/controllers/heartbeat', { ...call, headers })).toMatchObject({
      error: 'invalid_request',
      details: { field: 'x-baa-age-ms' },
    });
  });
});
