import { beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import type { ErrorBody } from '../../../schema/contracts/common.ts';
import type { Role } from '../../../schema/contracts/tokens.ts';
import { BOOTSTRAP_SECRET_MIN_CHARS, PLACEHOLDER_SECRETS, ROLES } from '../../../schema/contracts/tokens.ts';
import { HTTP } from '../../../schema/defaults.ts';
import type { RouteSpec } from '../../../workers/http/route-spec.ts';
import { ROUTES } from '../../../workers/routes.ts';
import { TestEdge } from '../support/edge.ts';
import { ROLES_BY_ROUTE } from '../support/roles.ts';
import { badFields, sampleBody, samplePath, sampleQuery } from '../support/samples.ts';

// Derived from the registry of routes: a new route is tested here without a new line, except for its roles.
const edge = new TestEdge();
const named = ROUTES.map(({ spec }) => ({ name: `${spec.method.toUpperCase()} ${spec.path}`, spec }));
const guarded = named.filter(({ spec }) => spec.roles.length > 0);
const withBody = guarded.filter(({ spec }) => spec.body !== undefined);

let tokens: Record<Role, string>;
let expired: string;
let revoked: string;
beforeAll(async () => {
  tokens = await edge.tokens();
  expired = (await edge.mint('ops_admin', { expires_in_ms: 1_000 })).token;
  const { token, token_id } = await edge.mint('ops_admin');
  revoked = token;
  await edge.data('DELETE', `/v1/tokens/${token_id}`);
  edge.now += 1_001;
});

/** A token with a role that may call the route; that of NODE where nodes may. */
function tokenFor(spec: RouteSpec): string {
  const [role] = spec.roles;
  return tokens[role ?? 'ops_admin'];
}

/** `/v1/controllers/heartbeat` is also a path of `/v1/controllers/:controller_id`. */
function matches(pattern: string, path: string): boolean {
  const parts = pattern.split('/');
  const words = path.replace(/\?.*/, '').split('/');
  return parts.length === words.length && parts.every((part, at) => part.startsWith(':') || part === words[at]);
}

function validCall(spec: RouteSpec): { body?: unknown } {
  return spec.body === undefined ? {} : { body: sampleBody(spec) };
}

describe.each(guarded)('$name', ({ name, spec }) => {
  const path = samplePath(spec);

  it.each(ROLES)('accepts the role %s exactly when the table of roles says so', async (role) => {
    const reply = await edge.call(spec.method, path, { token: tokens[role], ...validCall(spec) });
    if (ROLES_BY_ROUTE[name]?.includes(role)) {
      expect(reply.status, reply.text).not.toBe(401);
      // A caller with the right role may still not own what the sample names.
      expect(reply.text).not.toContain('"error":"forbidden"');
      expect(reply.status, reply.text).not.toBe(500);
    } else {
      expect(reply.status).toBe(403);
      expect((JSON.parse(reply.text) as ErrorBody).error).toBe('forbidden');
    }
  });

  it('refuses a request without a valid token', async () => {
    const refusals: [code: string, headers: Record<string, string>][] = [
      ['missing_token', {}],
      ['invalid_token', { authorization: 'Basic dXNlcjpwYXNz' }],
      ['invalid_token', { authorization: 'Bearer short' }],
      ['unknown_token', { authorization: 'Bearer baa_unknown-but-well-formed' }],
      ['unknown_token', { authorization: 'Bearer test-bootstrap-token-long-enough2' }],
      ['expired_token', { authorization: `Bearer ${expired}` }],
      ['revoked_token', { authorization: `Bearer ${revoked}` }],
    ];
    for (const [code, headers] of refusals) {
      expect(await edge.error(spec.method, path, { token: null, headers, ...validCall(spec) })).toMatchObject({
        status: 401,
        error: code,
      });
    }
  });

  it('refuses every request while the bootstrap secret is unset or too short', async () => {
    for (const secret of [...PLACEHOLDER_SECRETS, 'x'.repeat(BOOTSTRAP_SECRET_MIN_CHARS - 1)]) {
      const unset = new TestEdge({ env: { BAA_BOOTSTRAP_TOKEN: secret } });
      const response = await unset.error(spec.method, path, { token: tokenFor(spec), ...validCall(spec) });
      expect(response).toMatchObject({ status: 503, error: 'auth_not_configured' });
    }
  });
});

describe('the table of roles', () => {
  it('has a line for every route, and no other', () => {
    expect(Object.keys(ROLES_BY_ROUTE).sort()).toEqual(named.map(({ name }) => name).sort());
  });

  it.each(named)('is what $name declares in the OpenAPI document', ({ name, spec }) => {
    expect([...spec.roles].sort()).toEqual([...(ROLES_BY_ROUTE[name] ?? [])].sort());
  });
});

describe('ownership', () => {
  const forNodes = guarded.filter(({ spec }) => spec.roles.includes('controller'));

  it.each(forNodes.filter(({ spec }) => spec.path.includes(':controller_id')))(
    'a node may not name another node in the path of $name',
    async ({ spec }) => {
      const path = samplePath(spec, { controller_id: 'another-node' });
      const response = await edge.error(spec.method, path, { token: tokens.controller, ...validCall(spec) });
      expect(response).toMatchObject({ status: 403, error: 'not_owner', details: { field: 'controller_id' } });
    },
  );

  it.each(forNodes.filter(({ spec }) => 'controller_id' in sampleBody(spec)))(
    'a node may not name another node in the body of $name',
    async ({ spec }) => {
      const body = sampleBody(spec, { controller_id: 'another-node' });
      const response = await edge.error(spec.method, samplePath(spec), { token: tokens.controller, body });
      expect(response).toMatchObject({ status: 403, error: 'not_owner', details: { field: 'controller_id' } });
    },
  );
});

describe.each(withBody)('the body of $name', ({ spec }) => {
  const path = samplePath(spec);
  const call = (body: unknown) => edge.error(spec.method, path, { token: tokenFor(spec), body });

  const fields = badFields(spec);
  it.skipIf(fields.length === 0).each(fields)('a bad $field is refused by name', async ({ field, values }) => {
    for (const value of values) {
      const response = await call(sampleBody(spec, { [field]: value }));
      const shown = JSON.stringify(value).slice(0, 40);
      if (response.error === 'payload_too_large') continue;
      expect(response, shown).toMatchObject({ status: 400, error: 'invalid_request' });
      expect(String(response.details.field).split('.')[0], shown).toBe(field);
      expect(response.details.expected, shown).toBeTruthy();
    }
  });

  it('an unknown field is refused by name', async () => {
    const response = await call({ ...sampleBody(spec), no_such_field: 1 });
    expect(response).toMatchObject({ status: 400, error: 'invalid_request', details: { field: 'no_such_field' } });
  });

  it.each([
    ['{', 'body'],
    ['[]', 'body'],
    ['"text"', 'body'],
    ['null', 'body'],
  ])('a body that is %s is refused', async (body, field) => {
    expect(await call(body)).toMatchObject({ status: 400, error: 'invalid_request', details: { field } });
  });

  it('a body over the limit is refused, with and without content-length', async () => {
    const tooLarge = (spec.maxBodyBytes ?? HTTP.max_body_bytes) + 1;
    const body = 'x'.repeat(tooLarge);
    expect(await call(body)).toMatchObject({ status: 413, error: 'payload_too_large' });
    const headers = { 'content-length': String(tooLarge) };
    const declared = await edge.error(spec.method, path, { token: tokenFor(spec), body: '{}', headers });
    expect(declared).toMatchObject({ status: 413, error: 'payload_too_large' });
  });
});

describe('methods', () => {
  const paths = Map.groupBy(named, ({ spec }) => spec.path);
  it.each([...paths].map(([path, routes]) => ({ path, routes })))(
    'other than those of $path are refused with the allowed ones',
    async ({ routes }) => {
      const [first] = routes;
      if (!first) return;
      const path = samplePath(first.spec);
      const declared = named
        .filter(({ spec }) => matches(spec.path, path))
        .map(({ spec }) => spec.method.toUpperCase());
      for (const method of ['GET', 'POST', 'PUT', 'PATCH', 'DELETE']) {
        if (declared.includes(method)) continue;
        const reply = await edge.call(method, path);
        expect(reply.status).toBe(405);
        for (const allowed of declared) expect(reply.headers.get('allow')).toContain(allowed);
      }
    },
  );
});

describe('lists', () => {
  const lists = guarded.filter(({ spec: { query } }) => query instanceof z.ZodObject && 'limit' in query.shape);
  it.each(lists)('$name bounds its pages', async ({ spec }) => {
    const path = `${samplePath(spec)}?${new URLSearchParams(sampleQuery(spec))}`;
    const token = tokenFor(spec);
    for (const query of ['limit=0', 'limit=201', 'limit=many', 'limit=1.5', 'limit=']) {
      const response = await edge.error('GET', `${path}&${query}`, { token });
      expect(response).toMatchObject({ status: 400, error: 'invalid_request', details: { field: 'limit' } });
    }
    if (!(spec.query instanceof z.ZodObject && 'cursor' in spec.query.shape)) return;
    const response = await edge.error('GET', `${path}&cursor=%21`, { token });
    expect(response).toMatchObject({ status: 400, error: 'invalid_request', details: { field: 'cursor' } });
  });

  it('of tokens is tested here', () => {
    expect(lists.map(({ name }) => name)).toContain('GET /v1/tokens');
  });
});
