import { env } from 'cloudflare:workers';
import { describe, expect, it } from 'vitest';
import type { Role, Session, TokenCreated } from '../../../schema/contracts/tokens.ts';
import type { Call } from '../support/edge.ts';
import { ORIGIN, rowsOf, TestEdge } from '../support/edge.ts';

const edge = new TestEdge();
const HOUR_MS = 3_600_000;

/** Signs in and returns the cookie as a browser sends it back. */
async function signIn(token: string): Promise<{ cookie: string; set: string; session: Session }> {
  const reply = await edge.call('POST', '/v1/session', { token: null, body: { token } });
  expect(reply.status, reply.text).toBe(200);
  const set = reply.headers.get('set-cookie') ?? '';
  return { cookie: set.split(';')[0] ?? '', set, session: JSON.parse(reply.text).data };
}
const by = (cookie: string, more: Call = {}): Call => ({
  ...more,
  token: null,
  headers: { cookie, ...more.headers },
});
const person = (role: Role = 'browser_admin', more = {}) => edge.mint(role, more);

describe('a session', () => {
  it('a session is a cookie without the token that scripts cannot read and other sites cannot send', async () => {
    const { token, token_id } = await person();
    const { set, session } = await signIn(token);
    for (const attribute of ['HttpOnly', 'Secure', 'SameSite=Strict', 'Path=/', 'Max-Age=43200']) {
      expect(set.split('; ')).toContain(attribute);
    }
    expect(set).not.toContain(token);
    expect(session).toMatchObject({ token_id, role: 'browser_admin', via: 'session' });
    expect(session.expires_at).toBe(edge.now + 12 * HOUR_MS);
  });

  it('a session acts with the identity of its token', async () => {
    const { token } = await person('browser_admin', { subject: 'someone' });
    const { cookie } = await signIn(token);
    expect(await edge.data('GET', '/v1/session', by(cookie))).toMatchObject({ subject: 'someone', via: 'session' });
    await edge.data(
      'POST',
      '/v1/system/resume',
      by(cookie, { headers: { origin: ORIGIN, 'x-request-id': 'by-page' } }),
    );
    expect(await rowsOf("SELECT actor, role FROM audit WHERE request_id = 'by-page'")).toEqual([
      { actor: 'someone', role: 'browser_admin' },
    ]);
    expect(await edge.error('GET', '/v1/audit', by(cookie))).toMatchObject({ error: 'forbidden' });
  });

  it('a write by session needs a page of this origin', async () => {
    const { cookie } = await signIn((await person()).token);
    const foreign = [
      'https://evil.test',
      'null',
      `${ORIGIN}.evil.test`,
      ORIGIN.replace('https', 'http'),
      `${ORIGIN}:8443`,
    ];
    for (const headers of [{}, ...foreign.map((origin) => ({ origin }))]) {
      expect(await edge.error('POST', '/v1/system/pause', by(cookie, { headers }))).toMatchObject({
        status: 403,
        error: 'forbidden',
        details: { field: 'origin' },
      });
    }
    expect(await edge.data('GET', '/v1/system/state')).toMatchObject({ mode: 'running' });
  });

  it('a page of another origin cannot sign in', async () => {
    const { token } = await person();
    const headers = { origin: 'https://evil.test' };
    expect(await edge.error('POST', '/v1/session', { token: null, body: { token }, headers })).toMatchObject({
      error: 'forbidden',
    });
  });

  it('a sign-in takes a token in the body or the header, also the bootstrap secret, but no other session', async () => {
    const { token } = await person('readonly');
    expect(await edge.data('POST', '/v1/session', { token })).toMatchObject({ role: 'readonly' });
    const { cookie } = await signIn(env.BAA_BOOTSTRAP_TOKEN);
    expect(await edge.data('GET', '/v1/session', by(cookie))).toMatchObject({ role: 'ops_admin', via: 'session' });
    const renewal = edge.error('POST', '/v1/session', by(cookie, { headers: { origin: ORIGIN } }));
    expect(await renewal).toMatchObject({ error: 'missing_token' });
  });

  it('a node cannot sign in', async () => {
    const { token } = await person('controller');
    expect(await edge.error('POST', '/v1/session', { token: null, body: { token } })).toMatchObject({
      error: 'forbidden',
    });
  });

  it('a repeated sign-in gets a cookie too', async () => {
    const { token } = await person();
    const call = { token: null, body: { token }, headers: { 'idempotency-key': 'sign-in-1' } };
    await edge.call('POST', '/v1/session', call);
    const { headers } = await edge.call('POST', '/v1/session', call);
    const [cookie = ''] = (headers.get('set-cookie') ?? '').split(';');
    expect(await edge.data('GET', '/v1/session', by(cookie))).toMatchObject({ via: 'session' });
  });
});

describe('the end of a session', () => {
  it('a session ends after twelve hours', async () => {
    const { cookie } = await signIn((await person()).token);
    edge.now += 12 * HOUR_MS;
    expect(await edge.error('GET', '/v1/session', by(cookie))).toMatchObject({ status: 401, error: 'expired_token' });
  });

  it('a session ends when its token expires, is rotated or is revoked', async () => {
    const brief = await person('readonly', { expires_in_ms: HOUR_MS });
    const { cookie: briefCookie, session } = await signIn(brief.token);
    expect(session.expires_at).toBe(brief.expires_at);
    const rotated = await person();
    const { cookie: before } = await signIn(rotated.token);
    await edge.data<TokenCreated>('POST', `/v1/tokens/${rotated.token_id}/rotate`, { body: {} });
    expect(await edge.error('GET', '/v1/session', by(before))).toMatchObject({ error: 'invalid_token' });
    const revoked = await person();
    const { cookie: revokedCookie } = await signIn(revoked.token);
    await edge.data('DELETE', `/v1/tokens/${revoked.token_id}`);
    expect(await edge.error('GET', '/v1/session', by(revokedCookie))).toMatchObject({ error: 'revoked_token' });
    edge.now += HOUR_MS;
    expect(await edge.error('GET', '/v1/session', by(briefCookie))).toMatchObject({ error: 'expired_token' });
  });

  it('a session that was signed out is refused, and another session of its token stays', async () => {
    const { token } = await person('readonly', { expires_in_ms: HOUR_MS });
    const [one, other] = [await signIn(token), await signIn(token)];
    expect(one.session.expires_at).toBe(other.session.expires_at);
    await edge.data('DELETE', '/v1/session', by(one.cookie, { headers: { origin: ORIGIN } }));
    expect(await edge.error('GET', '/v1/session', by(one.cookie))).toMatchObject({
      status: 401,
      error: 'expired_token',
    });
    expect(await edge.data('GET', '/v1/session', by(other.cookie))).toMatchObject({ via: 'session' });
    expect(JSON.stringify(await rowsOf('SELECT * FROM ended_sessions'))).not.toContain(one.cookie.split('=')[1]);
  });

  it('a sign-out deletes the cookie', async () => {
    const { cookie } = await signIn((await person()).token);
    const reply = await edge.call('DELETE', '/v1/session', by(cookie, { headers: { origin: ORIGIN } }));
    expect(JSON.parse(reply.text).data).toEqual({ signed_out: true });
    expect(reply.headers.get('set-cookie')).toMatch(/^conductor_session=; .*Max-Age=0/);
  });

  it('two systems on one machine, which share the cookies of its address, keep their sessions', async () => {
    const { token } = await person();
    const session = (port: number) => `http://127.0.0.1:${port}/v1/session`;
    const signInAt = async (port: number): Promise<string> => {
      const reply = await edge.call('POST', session(port), { token: null, body: { token } });
      return (reply.headers.get('set-cookie') ?? '').split(';')[0] ?? '';
    };
    const [one, other] = [await signInAt(8787), await signInAt(8788)];
    expect(one.split('=')[0]).not.toBe(other.split('=')[0]);
    await edge.data('DELETE', session(8787), by(`${one}; ${other}`, { headers: { origin: 'http://127.0.0.1:8787' } }));
    expect(await edge.error('GET', session(8787), by(`${one}; ${other}`))).toMatchObject({ error: 'expired_token' });
    expect(await edge.data('GET', session(8788), by(`${one}; ${other}`))).toMatchObject({ via: 'session' });
  });

  it('a session ends when the bootstrap secret changes', async () => {
    const { cookie } = await signIn((await person()).token);
    const other = new TestEdge({ now: edge.now, env: { BAA_BOOTSTRAP_TOKEN: 'another-secret-of-good-length' } });
    expect(await other.error('GET', '/v1/session', by(cookie))).toMatchObject({ error: 'invalid_token' });
  });
});

describe('an invalid cookie', () => {
  it('a cookie with any forged part is refused', async () => {
    const { cookie } = await signIn((await person('readonly')).token);
    const { token_id: another } = await person('ops_admin');
    const [name, value = ''] = cookie.split('=');
    const [id = '', end = '', nonce = '', mac = ''] = value.split('.');
    const later = (Number.parseInt(end, 36) + 1).toString(36);
    const flipped = mac.replace(/^./, mac.startsWith('A') ? 'B' : 'A');
    for (const forged of [
      `${another}.${end}.${nonce}.${mac}`,
      `bootstrap.${end}.${nonce}.${mac}`,
      `tok_unknown.${end}.${nonce}.${mac}`,
      `${id}.${later}.${nonce}.${mac}`,
      `${id}.${end}.${nonce.replace(/^./, nonce.startsWith('a') ? 'b' : 'a')}.${mac}`,
      `${id}.${end}.${nonce}.${flipped}`,
      `${id}.${end}.${mac}`,
      `${id}.${end}`,
      'x',
    ]) {
      expect(await edge.error('GET', '/v1/session', by(`${name}=${forged}`)), forged).toMatchObject({
        status: 401,
        error: 'invalid_token',
      });
    }
  });

  it('wrong cookies are rate-limited like wrong tokens', async () => {
    const headers = { cookie: 'conductor_session=x', 'cf-connecting-ip': '198.51.100.77' };
    let status = 401;
    for (let tries = 0; status === 401 && tries < 300; tries += 1) {
      status = (await edge.call('GET', '/v1/session', { token: null, headers })).status;
    }
    expect(status).toBe(429);
  });

  it('an invalid cookie does not affect a valid bearer token', async () => {
    const { token } = await person('readonly');
    const headers = { cookie: 'conductor_session=x' };
    expect(await edge.data('GET', '/v1/session', { token, headers })).toMatchObject({ via: 'token', expires_at: null });
  });
});
