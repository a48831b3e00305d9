import { afterEach, expect, it, vi } from 'vitest';
import { z } from 'zod';
import { callEdge } from '../../../workers/page/api/client.ts';
import { askEarly } from '../../../workers/page/api/early.ts';

afterEach(() => void vi.unstubAllGlobals());

/** What is sent, while the edge responds with the number of the request. */
function countRequests(status = 200): string[] {
  const sent: string[] = [];
  vi.stubGlobal('fetch', async (path: string, init: RequestInit = {}) => {
    const { method, headers } = new Request(new URL(path, 'http://edge.test'), init);
    sent.push(`${method} ${path} ${headers.get('accept')} ${headers.get('x-requested-with')}`);
    return new Response(JSON.stringify({ ok: true, request_id: 'r', data: sent.length }), { status });
  });
  return sent;
}

const AS_PROGRAM = 'application/json XMLHttpRequest';

it('a response that was asked for early is taken once, by the first read of its path', async () => {
  const sent = countRequests();
  expect(await askEarly('/v1/a')).toBe(true);
  expect(sent).toEqual([`GET /v1/a ${AS_PROGRAM}`]);
  expect(await callEdge('/v1/a', z.number(), { method: 'POST', body: {} })).toBe(2);
  expect(await callEdge('/v1/b', z.number())).toBe(3);
  expect(await callEdge('/v1/a', z.number())).toBe(1);
  expect(await callEdge('/v1/a', z.number())).toBe(4);
});

it('a request that was sent early and fails says so to its reader alone', async () => {
  countRequests(401);
  expect(await askEarly('/v1/a')).toBe(false);
  await expect(callEdge('/v1/a', z.number())).rejects.toMatchObject({ isSignedOut: true });
  vi.stubGlobal('fetch', () => Promise.reject(new TypeError('no connection')));
  expect(await askEarly('/v1/a')).toBe(false);
  await expect(callEdge('/v1/a', z.number())).rejects.toMatchObject({ code: 'edge_unreachable' });
});
