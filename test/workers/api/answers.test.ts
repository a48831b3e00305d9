import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { ErrorBodySchema } from '../../../schema/contracts/common.ts';
import { openApiDocument } from '../../../workers/http/openapi.ts';
import type { RouteSpec } from '../../../workers/http/route-spec.ts';
import { ROUTES } from '../../../workers/routes.ts';
import type { Reply } from '../support/edge.ts';
import { TestEdge } from '../support/edge.ts';
import { sampleBody, samplePath } from '../support/samples.ts';

// What is answered is what is documented, whatever is asked: no 500, no status, code or field that the document lacks.
const edge = new TestEdge();
const document = openApiDocument(ROUTES.map((route) => route.spec));
const named = ROUTES.map(({ spec }) => ({ name: `${spec.method.toUpperCase()} ${spec.path}`, spec }));
const RUNS = 25;
/** Of a route that takes neither a body nor a query: only what it does not know can be sent to it. */
const RUNS_BARE = 3;

let tokens: Awaited<ReturnType<TestEdge['tokens']>>;
beforeAll(async () => {
  tokens = await edge.tokens();
});

function documented(spec: RouteSpec) {
  const path = spec.path.replace(/:([a-z_]+)/g, '{$1}');
  return document.paths?.[path]?.[spec.method]?.responses ?? {};
}

function expectDocumented(spec: RouteSpec, { status, text }: Reply): void {
  expect(status, text).not.toBe(500);
  const response = documented(spec)[String(status)];
  expect(response, `${status} ${text}`).toBeDefined();
  if (status >= 400) {
    const { error } = ErrorBodySchema.parse(JSON.parse(text));
    expect(String(response?.description).split(', ')).toContain(error);
  } else if (spec.produces === undefined) {
    const { data } = JSON.parse(text) as { data: unknown };
    // The schema lets nothing through that it does not know.
    expect(spec.data.parse(data)).toEqual(data);
  }
}

/** The body of a route with some of its fields replaced by anything at all. */
function bodyOf(spec: RouteSpec): fc.Arbitrary<unknown> {
  const good = sampleBody(spec);
  const fields = Object.keys(good);
  const altered = fc
    .record({ field: fields.length === 0 ? fc.string() : fc.constantFrom(...fields), value: fc.jsonValue() })
    .map(({ field, value }) => ({ ...good, [field]: value }));
  return fc.oneof(fc.constant(good), altered, fc.jsonValue(), fc.string());
}

describe.each(named)('$name', ({ spec }) => {
  const path = samplePath(spec);
  const token = () => tokens[spec.roles[0] ?? 'readonly'];

  it('answers what it documents', async () => {
    const check = async (body: unknown, query: string) => {
      const asked = `${path}${path.includes('?') ? '&' : '?'}${query}`;
      const call = spec.body === undefined ? {} : { body };
      expectDocumented(spec, await edge.call(spec.method, asked, { token: token(), ...call }));
    };
    await check(sampleBody(spec), '');
    const query = fc.oneof(fc.constant(''), fc.webQueryParameters());
    const numRuns = spec.body === undefined && spec.query === undefined ? RUNS_BARE : RUNS;
    await fc.assert(fc.asyncProperty(bodyOf(spec), query, check), { numRuns });
  });
});

describe('any word in the path', () => {
  it.each(named.filter(({ spec }) => spec.path.includes(':')))('of $name is no surprise', async ({ spec }) => {
    const names = [...spec.path.matchAll(/:([a-z_]+)/g)].map(([, name = '']) => name);
    const token = tokens[spec.roles[0] ?? 'readonly'];
    const words = fc.record(
      Object.fromEntries(names.map((name) => [name, fc.string({ unit: 'grapheme', minLength: 1 })])),
    );
    const call = spec.body === undefined ? {} : { body: sampleBody(spec) };
    await fc.assert(
      fc.asyncProperty(words, async (given) => {
        const { status, text } = await edge.call(spec.method, samplePath(spec, given), { token, ...call });
        expect(status, text).toBeLessThan(500);
      }),
      { numRuns: RUNS },
    );
  });
});
