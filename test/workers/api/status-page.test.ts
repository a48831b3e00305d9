import { describe, expect, it } from 'vitest';
import type { SignInLink } from '../../../schema/contracts/tokens.ts';
import { ORIGIN, rowsOf, TestEdge } from '../support/edge.ts';

const edge = new TestEdge();
const MINUTE_MS = 60_000;
const HTML = { accept: 'text/html,application/xhtml+xml' };

function makeLink(token: string): Promise<SignInLink> {
  return edge.data<SignInLink>('POST', '/v1/session/links', { token, body: {} });
}
const open = (path: string, headers: Record<string, string> = {}, method = 'GET') =>
  edge.call(method, new URL(path, ORIGIN).pathname, { token: null, headers });

describe('a sign-in link', () => {
  it('signs in once, as the token that made it, and leads to the page', async () => {
    const { token, token_id } = await edge.mint('ops_admin', { subject: 'the operator' });
    const { sign_in_url, expires_at } = await makeLink(token);
    expect(new URL(sign_in_url).origin).toBe(ORIGIN);
    expect(expires_at).toBe(edge.now + 5 * MINUTE_MS);
    const reply = await open(sign_in_url, HTML);
    expect(reply.status).toBe(303);
    expect(reply.headers.get('location')).toBe('/');
    const set = reply.headers.get('set-cookie') ?? '';
    expect(set).toMatch(/HttpOnly; Secure; SameSite=Strict/i);
    const cookie = set.split(';')[0] ?? '';
    expect(await edge.data('GET', '/v1/session', { token: null, headers: { cookie } })).toMatchObject({
      token_id,
      subject: 'the operator',
      via: 'session',
    });
    const again = await open(sign_in_url);
    expect(again.status).toBe(401);
    expect(again.headers.get('set-cookie')).toBeNull();
  });

  it('is stored as a hash only', async () => {
    const { token } = await edge.mint('ops_admin');
    const code = (await makeLink(token)).sign_in_url.split('/').at(-1) ?? '';
    const stored = JSON.stringify(await rowsOf('SELECT * FROM sign_in_links'));
    expect(stored).not.toContain(code);
    expect(stored).toMatch(/"code_hash":"[0-9a-f]{64}"/);
  });

  it('signs in for five minutes, and no longer', async () => {
    const { token } = await edge.mint('ops_admin');
    const [used, late] = [await makeLink(token), await makeLink(token)];
    edge.now += 5 * MINUTE_MS - 1;
    expect((await open(used.sign_in_url)).status).toBe(303);
    edge.now += 1;
    expect((await open(late.sign_in_url)).status).toBe(401);
  });

  it('signs in one of two that open it at the same time', async () => {
    const { token } = await edge.mint('ops_admin');
    const { sign_in_url } = await makeLink(token);
    const rivals: number[] = [];
    const first = await edge.race(
      () => open(sign_in_url),
      async () => void rivals.push((await open(sign_in_url)).status),
    );
    expect([first.status, ...rivals].sort()).toEqual([303, 401]);
  });

  it('does not sign in when the token that made it was revoked', async () => {
    const { token, token_id } = await edge.mint('ops_admin');
    const { sign_in_url } = await makeLink(token);
    await edge.data('DELETE', `/v1/tokens/${token_id}`);
    const refused = await open(sign_in_url);
    expect(JSON.parse(refused.text)).toMatchObject({ error: 'revoked_token' });
    expect(refused.headers.get('set-cookie')).toBeNull();
  });

  it('is not used up by a preview, or by another page that names it', async () => {
    const { token } = await edge.mint('ops_admin');
    const { sign_in_url } = await makeLink(token);
    expect((await open(sign_in_url, {}, 'HEAD')).status).toBe(200);
    for (const dest of ['image', 'script', 'iframe', 'empty']) {
      expect((await open(sign_in_url, { 'sec-fetch-dest': dest })).status, dest).toBe(403);
    }
    expect((await open(sign_in_url, { ...HTML, 'sec-fetch-dest': 'document' })).status).toBe(303);
  });

  it('is an entry of the audit, when it is made and when it is used', async () => {
    const { token, token_id } = await edge.mint('ops_admin', { subject: 'link maker' });
    await open((await makeLink(token)).sign_in_url);
    expect(await rowsOf("SELECT action, subject_id FROM audit WHERE actor = 'link maker' ORDER BY seq")).toEqual([
      { action: 'POST /v1/session/links', subject_id: token_id },
      { action: 'GET /v1/session/link/:code', subject_id: token_id },
    ]);
  });

  it('that is no longer valid shows a browser the page, which says so', async () => {
    const { token } = await edge.mint('ops_admin');
    const { sign_in_url } = await makeLink(token);
    await open(sign_in_url);
    const shown = await open(sign_in_url, HTML);
    expect(shown.status).toBe(401);
    expect(shown.headers.get('content-type')).toContain('text/html');
    expect(shown.headers.get('content-security-policy')).toContain("default-src 'none'");
  });
});

describe('the status page', () => {
  it.each(['/', '/ui', '/tasks/task_x'])(
    'is at %s, runs only its own files, and is shown in no frame',
    async (path) => {
      const { status, headers, text } = await open(path, HTML);
      expect(status).toBe(200);
      expect(text).toContain('<div id="page">');
      expect(text).not.toMatch(/<script(?![^>]*\bsrc=)|<style|\son\w+=|style=/);
      const policy = headers.get('content-security-policy') ?? '';
      for (const part of ["default-src 'none'", "script-src 'self'", "frame-ancestors 'none'", "base-uri 'none'"]) {
        expect(policy.split('; ')).toContain(part);
      }
      expect(policy).not.toMatch(/unsafe|https?:|\*|data:/);
      expect(headers.get('x-content-type-options')).toBe('nosniff');
      expect(headers.get('referrer-policy')).toBe('no-referrer');
      expect(headers.get('cache-control')).toBe('private, no-cache');
    },
  );

  it('is sent to no program that asks for something else', async () => {
    expect(await edge.error('GET', '/nothing')).toMatchObject({ status: 404, error: 'not_found' });
    for (const path of ['/v1/nothing', '/artifact/nothing', '/mcp/nothing']) {
      expect((await open(path, HTML)).status, path).toBe(404);
    }
    expect((await open('/tasks', HTML, 'POST')).status).toBe(404);
  });

  it('is not sent for a host name that is not the edge’s own', async () => {
    const own = new TestEdge({ env: { BAA_HOSTS: '127.0.0.1' } });
    expect((await own.call('GET', '/', { token: null, headers: HTML })).status).toBe(403);
  });

  it('is also what /v1/status/ui leads to', async () => {
    const { status, headers } = await open('/v1/status/ui');
    expect([status, headers.get('location')]).toEqual([303, '/']);
  });
});

describe('the log of a task', () => {
  it('is not compressed on its way, which would hold back what was printed', async () => {
    const { token } = await edge.mint('browser_admin');
    const body = { task_type: 'shell', title: 'A task', goal: 'A goal.' };
    const { task_id } = await edge.data<{ task_id: string }>('POST', '/v1/tasks', { token, body });
    const { headers } = await edge.call('GET', `/v1/tasks/${task_id}/logs`, { token });
    expect(headers.get('content-encoding')).toBe('identity');
    expect(headers.get('cache-control')).toBe('no-store, no-transform');
  });
});
