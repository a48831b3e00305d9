import { createLocalJWKSet, exportJWK, generateKeyPair, SignJWT } from 'jose';
import { beforeAll, describe, expect, it } from 'vitest';
import type { AccessKeys } from '../../../workers/env.ts';
import { ORIGIN, rowsOf, TestEdge } from '../support/edge.ts';

const TEAM = 'team.cloudflareaccess.com';
const AUD = 'audience-of-the-application';
const CONFIGURED = {
  BAA_ACCESS_TEAM_DOMAIN: TEAM,
  BAA_ACCESS_AUD: AUD,
  BAA_ACCESS_ROLES: '{"Ops@Example.com":"ops_admin","example.com":"readonly"}',
};

let teamKey: CryptoKey;
let foreignKey: CryptoKey;
let accessKeys: AccessKeys;
let edge: TestEdge;
beforeAll(async () => {
  const team = await generateKeyPair('RS256');
  teamKey = team.privateKey;
  foreignKey = (await generateKeyPair('RS256')).privateKey;
  const jwks = createLocalJWKSet({ keys: [{ ...(await exportJWK(team.publicKey)), kid: 'k1', alg: 'RS256' }] });
  accessKeys = () => jwks;
  edge = new TestEdge({ env: CONFIGURED, accessKeys });
});

interface Claims {
  email?: string;
  issuer?: string;
  audience?: string;
  endsAt?: number;
  key?: CryptoKey;
}
function assertion({ email, issuer = `https://${TEAM}`, audience = AUD, endsAt, key = teamKey }: Claims) {
  const seconds = Math.floor((endsAt ?? edge.now + 60_000) / 1_000);
  return new SignJWT(email === undefined ? { common_name: 'a service' } : { email })
    .setProtectedHeader({ alg: 'RS256', kid: 'k1' })
    .setIssuer(issuer)
    .setAudience(audience)
    .setExpirationTime(seconds)
    .sign(key);
}
const by = async (claims: Claims, headers: Record<string, string> = {}) => ({
  token: null,
  headers: { 'cf-access-jwt-assertion': await assertion(claims), ...headers },
});

describe('Cloudflare Access', () => {
  it('a person gets the role of the address, or else of its domain', async () => {
    expect(await edge.data('GET', '/v1/session', await by({ email: 'ops@example.com' }))).toMatchObject({
      role: 'ops_admin',
      subject: 'ops@example.com',
      via: 'access',
    });
    expect(await edge.data('GET', '/v1/session', await by({ email: 'Anyone@EXAMPLE.com' }))).toMatchObject({
      role: 'readonly',
      subject: 'anyone@example.com',
    });
  });

  it('an address of a similar domain is refused', async () => {
    for (const email of ['x@evil.test', 'x@sub.example.com', 'example.com@evil.test', 'x@notexample.com']) {
      const response = await edge.error('GET', '/v1/session', await by({ email }));
      expect(response, email).toMatchObject({ status: 403, error: 'forbidden' });
    }
  });

  it('an assertion is accepted only with the keys, issuer, audience and time of this team and application', async () => {
    const email = 'ops@example.com';
    const wrong: Claims[] = [
      { email, key: foreignKey },
      { email, issuer: 'https://other.cloudflareaccess.com' },
      { email, audience: 'another application' },
      {},
    ];
    for (const claims of wrong) {
      expect(await edge.error('GET', '/v1/session', await by(claims))).toMatchObject({
        status: 401,
        error: 'invalid_token',
      });
    }
    const late = await by({ email, endsAt: edge.now - 60_000 });
    expect(await edge.error('GET', '/v1/session', late)).toMatchObject({ error: 'expired_token' });
    const unsigned = `${btoa('{"alg":"none"}')}.${btoa(`{"email":"${email}"}`)}.`.replaceAll('=', '');
    const headers = { 'cf-access-jwt-assertion': unsigned };
    expect(await edge.error('GET', '/v1/session', { token: null, headers })).toMatchObject({ error: 'invalid_token' });
  });

  it('a write needs a page of this origin and is audited under the address', async () => {
    const email = 'ops@example.com';
    expect(await edge.error('POST', '/v1/system/resume', await by({ email }))).toMatchObject({ error: 'forbidden' });
    await edge.data('POST', '/v1/system/resume', await by({ email }, { origin: ORIGIN, 'x-request-id': 'by-access' }));
    expect(await rowsOf("SELECT actor FROM audit WHERE request_id = 'by-access'")).toEqual([{ actor: email }]);
  });

  it('a bearer token and a valid session take precedence over Access, and Access over an invalid session', async () => {
    const email = 'anyone@example.com';
    const call = await by({ email });
    const { token } = await edge.mint('browser_admin');
    expect(await edge.data('GET', '/v1/session', { ...call, token })).toMatchObject({ via: 'token' });
    const { headers } = await edge.call('POST', '/v1/session', { token: null, body: { token } });
    const [cookie = ''] = (headers.get('set-cookie') ?? '').split(';');
    expect(await edge.data('GET', '/v1/session', await by({ email }, { cookie }))).toMatchObject({ via: 'session' });
    const invalid = await by({ email }, { cookie: 'conductor_session=x' });
    expect(await edge.data('GET', '/v1/session', invalid)).toMatchObject({ via: 'access' });
  });

  it('the header is ignored while Access is not configured', async () => {
    const call = await by({ email: 'ops@example.com' });
    for (const name of ['BAA_ACCESS_TEAM_DOMAIN', 'BAA_ACCESS_AUD'] as const) {
      const unset = new TestEdge({ env: { ...CONFIGURED, [name]: '' }, accessKeys });
      expect(await unset.error('GET', '/v1/session', call)).toMatchObject({ error: 'missing_token' });
    }
  });

  it('a role map that is not JSON, or names a role of nodes, is a configuration error', async () => {
    for (const BAA_ACCESS_ROLES of ['ops', '{"example.com":"king"}', '{"example.com":"controller"}']) {
      const broken = new TestEdge({ env: { ...CONFIGURED, BAA_ACCESS_ROLES }, accessKeys });
      const response = await broken.error('GET', '/v1/session', await by({ email: 'ops@example.com' }));
      expect(response, BAA_ACCESS_ROLES).toMatchObject({ status: 503, error: 'auth_not_configured' });
    }
  });
});
