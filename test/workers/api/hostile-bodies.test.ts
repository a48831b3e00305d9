/** Every route that takes a body gets JSON that breaks parsers and databases. Derived from the registry of routes. */
import { env } from 'cloudflare:workers';
import { getTableName, isTable } from 'drizzle-orm';
import { beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import type { Role } from '../../../schema/contracts/tokens.ts';
import { JSON_TEXT } from '../../../schema/defaults.ts';
import * as tables from '../../../schema/tables/index.ts';
import { ROUTES } from '../../../workers/routes.ts';
import { errorOf, NODE, TestEdge } from '../support/edge.ts';
import { sampleBody, samplePath } from '../support/samples.ts';

const edge = new TestEdge();
const routes = ROUTES.filter(({ spec }) => spec.body !== undefined).map(({ spec }) => ({
  name: `${spec.method.toUpperCase()} ${spec.path}`,
  spec,
}));
let tokens: Record<Role, string>;
beforeAll(async () => {
  tokens = await edge.tokens();
  // `last_used_at` of each token is written once a minute: not by the requests that are judged.
  for (const token of Object.values(tokens)) await edge.call('GET', '/v1/session', { token });
});

const DEEP = 50_000;
const deepList = '['.repeat(DEEP) + ']'.repeat(DEEP);
const deepObject = `${'{"a":'.repeat(DEEP)}1${'}'.repeat(DEEP)}`;
const barelyTooDeep = '['.repeat(JSON_TEXT.max_depth) + ']'.repeat(JSON_TEXT.max_depth);
const wideList = `[${'0,'.repeat(JSON_TEXT.max_values)}0]`;

/** JSON texts that no field of any contract takes. */
const HOSTILE_VALUES = [deepList, deepObject, barelyTooDeep, wideList, '1e999', '-1e999', '{"__proto__":{"x":1}}'];
/** Whole bodies that no route takes. */
const HOSTILE_BODIES = [
  deepList,
  deepObject,
  `{"extra":${deepList}}`,
  '{"__proto__":{"controller_id":"other"}}',
  '{"constructor":{"prototype":{}}}',
  '[]',
  'null',
  '"text"',
  'NaN',
  '{"a":Infinity}',
  '{',
  '\ufeff{',
  '\u001f\u008b\u0008\u0000',
  '{}'.repeat(3),
];
const HOSTILE_HEADERS: Record<string, string>[] = [
  { 'content-encoding': 'gzip' },
  { 'content-encoding': 'br' },
  { 'content-type': 'application/json; charset=utf-16' },
];

/** The number of rows of each table. */
async function stored(): Promise<unknown> {
  const names = Object.values(tables).filter(isTable).map(getTableName);
  const counts = names.map((name) => `(SELECT count(*) FROM "${name}") AS ${name}`).join(', ');
  return env.DB.prepare(`SELECT ${counts}`).first();
}

describe('a hostile body', () => {
  it.each(routes)('$name: is refused with the name of its field, and nothing is stored', async ({ spec }) => {
    const token = spec.roles.includes('controller') ? tokens.controller : tokens.ops_admin;
    const sample = sampleBody(spec);
    const fields = spec.body instanceof z.ZodObject ? Object.keys(spec.body.shape) : [];
    const replaced = fields.flatMap((field) =>
      HOSTILE_VALUES.map((value) => JSON.stringify({ ...sample, [field]: '@' }).replace('"@"', () => value)),
    );
    const before = await stored();
    for (const body of [...HOSTILE_BODIES, ...replaced]) {
      const reply = await edge.call(spec.method.toUpperCase(), samplePath(spec), { token, body });
      const shown = `${spec.path} ${body.slice(0, 80)}: ${reply.text.slice(0, 300)}`;
      expect([400, 401], shown).toContain(reply.status);
      expect(reply.text.length, shown).toBeLessThan(20_000);
      if (reply.status === 400) expect(errorOf(reply.text).details.field, shown).toMatch(/^.+$/);
    }
    expect(await stored()).toEqual(before);
  });

  it.each(routes)(
    '$name: a compressed body or one in another charset is 415, and names the header',
    async ({ spec }) => {
      const token = spec.roles.includes('controller') ? tokens.controller : tokens.ops_admin;
      for (const headers of HOSTILE_HEADERS) {
        const call = { token, body: sampleBody(spec), headers };
        const { error, details } = await edge.error(spec.method.toUpperCase(), samplePath(spec), call);
        expect([error, details.field]).toEqual(['unsupported_media_type', Object.keys(headers)[0]]);
      }
    },
  );

  it('leaves status, nodes and metrics readable', async () => {
    for (const path of ['/v1/status', '/v1/controllers', '/v1/metrics']) {
      expect((await edge.call('GET', path)).status).toBe(200);
    }
  });
});

describe('the text of a body', () => {
  it('is stored as it is returned: half a surrogate pair becomes the replacement character in both', async () => {
    const body =
      `{"controller_id":"${NODE}","host":"mini","role":"primary","priority":1,"status":"standby",` +
      '"metadata":{"\\ud800":"x\\udc00"}}';
    const returned = await edge.data<{ metadata: unknown }>('POST', '/v1/controllers/heartbeat', {
      token: tokens.controller,
      body,
    });
    const kept = await edge.data<{ metadata: unknown }>('GET', `/v1/controllers/${NODE}`);
    expect(returned.metadata).toEqual({ '\ufffd': 'x\ufffd' });
    expect(kept.metadata).toEqual(returned.metadata);
  });

  it('metadata is short: a status shows that of every node', async () => {
    const node = { controller_id: NODE, host: 'mini', role: 'primary', priority: 1, status: 'standby' };
    const call = { token: tokens.controller, body: { ...node, metadata: { note: 'x'.repeat(5_000) } } };
    expect(await edge.error('POST', '/v1/controllers/heartbeat', call)).toMatchObject({
      status: 400,
      details: { field: 'metadata' },
    });
  });
});
