import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { openApiDocument } from '../../../workers/http/openapi.ts';
import type { RouteSpec } from '../../../workers/http/route-spec.ts';
import { ROUTES } from '../../../workers/routes.ts';
import type { Reply } from '../support/edge.ts';
import { errorOf, TestEdge } from '../support/edge.ts';
import { sampleBody, samplePath } from '../support/samples.ts';

// Every response is documented, for any input: no 500, and no status, code or field that the document lacks.
const edge = new TestEdge();
const document = openApiDocument(ROUTES.map((route) => route.spec));
const named = ROUTES.map(({ spec }) => ({ name: `${spec.method.toUpperCase()} ${spec.path}`, spec }));
const RUNS = 25;
/** For a route without body and query, which only gets unknown query parameters. */
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
    const { error } = errorOf(text);
    expect(String(response?.description).split(', ')).toContain(error);
  } else if (status >= 300) {
    // A redirect is its `location` header.
    expect(text).toBe('');
  } else if (spec.produces === undefined) {
    const { data } = JSON.parse(text) as { data: unknown };
    // The schema drops fields that it does not know.
    expect(spec.data.parse(data)).toEqual(data);
  }
}

/** A valid body, one with a field replaced by any JSON value, or any other value. */
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

  it('sends only documented responses', async () => {
    const check = async (body: unknown, query: string) => {
      const target = `${path}${path.includes('?') ? '&' : '?'}${query}`;
      const call = spec.body === undefined ? {} : { body };
      expectDocumented(spec, await edge.call(spec.method, target, { token: token(), ...call }));
    };
    await check(sampleBody(spec), '');
    const query = fc.oneof(fc.constant(''), fc.webQueryParameters());
    const numRuns = spec.body === undefined && spec.query === undefined ? RUNS_BARE : RUNS;
    await fc.assert(fc.asyncProperty(bodyOf(spec), query, check), { numRuns });
  });
});

describe('a path parameter', () => {
  it.each(named.filter(({ spec }) => spec.path.includes(':')))(
    'of $name may be any text without a server error',
    async ({ spec }) => {
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
    },
  );
});
