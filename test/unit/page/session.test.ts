import { afterEach, describe, expect, it, vi } from 'vitest';
import { EdgeError } from '../../../workers/page/api/client.ts';
import { readSession } from '../../../workers/page/sign-in/session.ts';

afterEach(() => void vi.unstubAllGlobals());

/** What the page sends, while everything before the edge responds so. */
function respond(status: number, body: string): Request[] {
  const sent: Request[] = [];
  vi.stubGlobal('fetch', async (path: string, init: RequestInit) => {
    sent.push(new Request(new URL(path, 'http://edge.test'), init));
    return new Response(body, { status });
  });
  return sent;
}
const failure = (error: string) => JSON.stringify({ ok: false, request_id: 'r', error, message: 'why', details: {} });

describe('the session of the page', () => {
  it('is that of Cloudflare Access, where it names a person with a role', async () => {
    const session = {
      ...{ token_id: 'access:a@example.com', role: 'readonly', subject: 'a@example.com' },
      ...{ controller_id: null, via: 'access', expires_at: 1 },
    };
    respond(200, JSON.stringify({ ok: true, request_id: 'r', data: session }));
    expect(await readSession()).toEqual({ status: 'signed_in', session });
  });

  it('is none for a person whom Access knows and who has no role, so that a token can be given', async () => {
    respond(403, failure('forbidden'));
    expect(await readSession()).toMatchObject({ status: 'signed_out', error: { code: 'forbidden' } });
  });

  it('has ended when Access refuses the request itself, which it does for a program instead of leading to its login', async () => {
    const sent = respond(401, '<html>the login page of Access</html>');
    expect(await readSession()).toMatchObject({ status: 'signed_out', error: { isSignedOut: true } });
    expect(sent[0]?.headers.get('x-requested-with')).toBe('XMLHttpRequest');
  });

  it('is not known while the edge is not reached, or cannot identify anybody', async () => {
    respond(503, failure('auth_not_configured'));
    expect(await readSession()).toMatchObject({ status: 'unknown', error: { code: 'auth_not_configured' } });
    vi.stubGlobal('fetch', () => Promise.reject(new TypeError('no connection')));
    const { error } = (await readSession()) as { error: EdgeError };
    expect([error instanceof EdgeError, error.code]).toEqual([true, 'edge_unreachable']);
  });

  it('is none, without a reason, before the first sign-in', async () => {
    respond(401, failure('missing_token'));
    expect(await readSession()).toEqual({ status: 'signed_out', error: null });
  });
});
