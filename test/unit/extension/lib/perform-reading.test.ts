import { describe, expect, it } from 'vitest';
import type { Fetch } from '../../../../extension/lib/perform-reading.ts';
import { performReading } from '../../../../extension/lib/perform-reading.ts';
import type { ReadingRequest } from '../../../../extension/sites/page.ts';

const REQUEST: ReadingRequest = {
  url: 'https://chat.example/new/1',
  method: 'GET',
  headers: { accept: 'application/json' },
  body: null,
  token: { url: 'https://chat.example/session', field: 'accessToken', header: 'authorization', prefix: 'Bearer ' },
  otherUrl: 'https://chat.example/old/1',
};

type Reply = { status?: number; body?: unknown; type?: string; headers?: Record<string, string> };

/** Responds by path, and notes each request with the header of the token. */
function site(replies: Record<string, Reply>): { fetch: Fetch; requests: [string, string | undefined][] } {
  const requests: [string, string | undefined][] = [];
  const fetch: Fetch = async (url, init) => {
    const { pathname } = new URL(url);
    requests.push([pathname, (init.headers as Record<string, string> | undefined)?.authorization]);
    const {
      status = 200,
      body = {},
      type = 'application/json; charset=utf-8',
      headers = {},
    } = replies[pathname] ?? { status: 500 };
    return new Response(typeof body === 'string' ? body : JSON.stringify(body), {
      status,
      headers: { 'content-type': type, ...headers },
    });
  };
  return { fetch, requests };
}

const read = (fetch: Fetch, request = REQUEST) => performReading(request, fetch, new AbortController().signal);
const SESSION = { body: { accessToken: 'secret' } };

describe('A reading that needs a token of the session', () => {
  it('fetches the token first, and gives it to the reading only', async () => {
    const { fetch, requests } = site({ '/session': SESSION, '/new/1': { body: { id: 1 } } });
    const reading = await read(fetch);
    expect(reading).toEqual({
      kind: 'response',
      status: 200,
      contentType: 'application/json',
      isChallenge: false,
      body: '{"id":1}',
    });
    expect(requests).toEqual([
      ['/session', undefined],
      ['/new/1', 'Bearer secret'],
    ]);
    expect(JSON.stringify(reading)).not.toContain('secret');
  });

  it.each<[string, Reply]>([
    ['a type that is not known', { type: 'text/plain' }],
    ['an error', { status: 500 }],
  ])('gives nothing of a session that comes as %s', async (_what, reply) => {
    const { fetch, requests } = site({ '/session': { ...SESSION, ...reply } });
    expect(JSON.stringify(await read(fetch))).not.toContain('secret');
    expect(requests).toEqual([['/session', undefined]]);
  });

  it('sends no reading for a person who is not signed in', async () => {
    const { fetch, requests } = site({ '/session': { body: {} } });
    expect(await read(fetch)).toEqual({ kind: 'failed', reason: 'signed_out' });
    expect(requests).toHaveLength(1);
  });

  it('reports the refusal of the token, or the security check in its place', async () => {
    expect(await read(site({ '/session': { status: 401 } }).fetch)).toMatchObject({ kind: 'response', status: 401 });
    const check = { status: 403, body: '<p>', type: 'text/html', headers: { 'cf-mitigated': 'challenge' } };
    expect(await read(site({ '/session': check }).fetch)).toMatchObject({ isChallenge: true, body: '' });
  });

  it('takes the other address when the site has dropped the first one', async () => {
    const { fetch, requests } = site({ '/session': SESSION, '/new/1': { status: 404 }, '/old/1': { body: { id: 2 } } });
    expect(await read(fetch)).toMatchObject({ status: 200, body: '{"id":2}' });
    expect(requests.map(([path]) => path)).toEqual(['/session', '/new/1', '/old/1']);
  });

  it('takes no other address after a refusal', async () => {
    const { fetch, requests } = site({ '/session': SESSION, '/new/1': { status: 403, body: { detail: 'x' } } });
    expect(await read(fetch)).toMatchObject({ status: 403, isChallenge: false });
    expect(requests).toHaveLength(2);
  });

  it('needs no token where the site wants none', async () => {
    const { fetch, requests } = site({ '/new/1': {} });
    await read(fetch, { ...REQUEST, token: null });
    expect(requests).toEqual([['/new/1', undefined]]);
  });

  it('reports a network that fails', async () => {
    const fetch: Fetch = () => Promise.reject(new TypeError('network'));
    expect(await read(fetch)).toEqual({ kind: 'failed', reason: 'network' });
  });
});
