import { afterEach, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { z } from 'zod';
import type { EdgeRequest } from '../../../../local-agent/edge/http-client.ts';
import { createEdgeClient, EdgeError } from '../../../../local-agent/edge/http-client.ts';
import { API_LEVEL } from '../../../../schema/contracts/common.ts';
import type { ChainHead } from '../../../../schema/contracts/journal.ts';
import { FakeEdge } from '../../../support/fake-edge.ts';

let edge: FakeEdge;
beforeEach(async () => {
  edge = await FakeEdge.start();
});
afterEach(() => edge.stop());

function client(baseUrl = edge.url) {
  const made = createEdgeClient({ baseUrl, token: 'node-token', now: () => 0 });
  onTestFinished(() => made.close());
  return made;
}
const schema = z.object({ n: z.number() });
const post: EdgeRequest<{ n: number }> = { method: 'POST', path: '/v1/x', rawBody: '{"b":  1}', schema };

async function failure(request: EdgeRequest<unknown>, baseUrl?: string): Promise<EdgeError> {
  const error = await client(baseUrl)
    .call(request)
    .then(
      () => null,
      (reason: unknown) => reason,
    );
  expect(error).toBeInstanceOf(EdgeError);
  return error as EdgeError;
}

describe('the client of the edge', () => {
  it('a call sends token, key and age, and parses the response', async () => {
    edge.on('POST', /./, () => ({ data: { n: 3, more: true } }));
    expect(await client().call({ ...post, idempotencyKey: 'box/node/1', ageMs: 12.4 })).toEqual({ n: 3 });
    expect(edge.requests[0]?.headers).toMatchObject({
      authorization: 'Bearer node-token',
      'idempotency-key': 'box/node/1',
      'x-baa-age-ms': '12',
      'content-type': 'application/json',
    });
  });

  it('a call with a token of its own uses that one', async () => {
    edge.on('POST', /./, () => ({ data: { n: 3 } }));
    await client().call({ ...post, token: 'operator' });
    expect(edge.requests[0]?.headers.authorization).toBe('Bearer operator');
  });

  it('a path prefix of the base URL is kept', async () => {
    edge.on('POST', /^\/under\/v1\/x$/, () => ({ data: { n: 1 } }));
    expect(await client(`${edge.url}/under/`).call(post)).toEqual({ n: 1 });
  });

  it('a refusal carries its code and the time to wait', async () => {
    edge.on('POST', /./, () => ({ error: 'rate_limited', headers: { 'retry-after': '3' } }));
    const error = await failure(post);
    expect(error).toMatchObject({
      kind: 'status',
      status: 429,
      code: 'rate_limited',
      retryAfterMs: 3_000,
      retryable: true,
    });
  });

  it('a cut connection is a network error', async () => {
    edge.on('POST', /./, () => 'drop');
    expect(await failure(post)).toMatchObject({ kind: 'network', status: 0, retryable: true });
  });

  it('a conflict is not retryable', async () => {
    edge.on('POST', /./, () => ({ error: 'conflict' }));
    expect(await failure(post)).toMatchObject({ code: 'conflict', retryable: false });
  });

  it('a response that does not fit its contract is an error that names the field', async () => {
    edge.on('POST', /./, () => ({ data: { n: 'three' } }));
    const error = await failure(post);
    expect(error.code).toBe('unreadable_response');
    expect(error.message).toMatch(/data\.n/);
  });

  it.each([
    [
      'without a level',
      {},
      'the edge is older than this program: update the edge first (data.n: a number; it is missing)',
    ],
    ['of a lower level', { 'x-baa-api-level': '1' }, 'the edge is older than this program'],
    ['of a higher level', { 'x-baa-api-level': '9999' }, 'the edge is newer than this program: update this program'],
    [
      'of the same level',
      { 'x-baa-api-level': String(API_LEVEL) },
      "the edge's response does not fit its contract: data.n",
    ],
  ])('a response that does not fit, of an edge %s, says which side to update', async (_which, headers, words) => {
    edge.on('POST', /./, () => ({ data: {}, headers }));
    expect((await failure(post)).message).toContain(words);
  });

  it('the head of the journal that a response names is handed on', async () => {
    const heads: ChainHead[] = [];
    const named = createEdgeClient({
      baseUrl: edge.url,
      token: 'node-token',
      now: () => 0,
      onJournalHead: (head) => heads.push(head),
    });
    const hash = 'a'.repeat(64);
    for (const text of [`7:${hash}`, 'seven:x', '']) {
      edge.on('POST', /./, () => ({ data: { n: 1 }, headers: { 'x-baa-journal-head': text } }));
      await named.call(post);
    }
    expect(heads).toEqual([{ seq: 7, hash }]);
    await named.close();
  });

  it('a call fails after its timeout', async () => {
    edge.on('POST', /./, () => new Promise<never>(() => undefined));
    expect(await failure({ ...post, timeoutMs: 20 })).toMatchObject({ kind: 'network' });
  });
});
