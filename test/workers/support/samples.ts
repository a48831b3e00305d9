/** Sample requests generated from the schemas of the routes, for the tests of every route. */
import fc from 'fast-check';
import { z } from 'zod';
import type { RouteSpec } from '../../../workers/http/route-spec.ts';
import { NODE } from './edge.ts';

interface JsonSchema {
  type?: string | string[];
  enum?: unknown[];
  const?: unknown;
  anyOf?: JsonSchema[];
  oneOf?: JsonSchema[];
  properties?: Record<string, JsonSchema>;
  required?: string[];
  items?: JsonSchema;
  minItems?: number;
  pattern?: string;
  minLength?: number;
  minimum?: number;
  exclusiveMinimum?: number;
}

/** A path of that route with well-formed parameters that identify nothing. */
export function samplePath(spec: RouteSpec, given: Record<string, string> = {}): string {
  const schema = spec.params === undefined ? {} : jsonSchemaOf(spec.params);
  const path = spec.path.replace(/:([a-z_]+)/g, (_all, name: string) => {
    const value = given[name] ?? (name === 'controller_id' ? NODE : sample(schema.properties?.[name] ?? {}));
    return encodeURIComponent(String(value));
  });
  return spec.produces === 'text/event-stream' ? `${path}?wait_ms=0` : path;
}

/** A body that the route accepts from NODE, without its optional fields. */
export function sampleBody(spec: RouteSpec, given: Record<string, unknown> = {}): Record<string, unknown> {
  if (spec.body === undefined) return {};
  const schema = jsonSchemaOf(spec.body);
  const body = sample(schema) as Record<string, unknown>;
  return { ...body, ...(schema.properties?.controller_id ? { controller_id: NODE } : {}), ...given };
}

/** The required query parameters of a route. */
export function sampleQuery(spec: RouteSpec): Record<string, string> {
  if (spec.query === undefined) return {};
  const required = sample(jsonSchemaOf(spec.query)) as Record<string, unknown>;
  return Object.fromEntries(Object.entries(required).map(([name, value]) => [name, String(value)]));
}

/** Each field of the body, with values that its schema refuses. */
export function badFields(spec: RouteSpec): { field: string; values: unknown[] }[] {
  if (!(spec.body instanceof z.ZodObject)) return [];
  return Object.entries(spec.body.shape as Record<string, z.ZodType>)
    .map(([field, schema]) => {
      const values = [null, true, -1, 1.5, 'x'.repeat(2_000_000), '', '\u0000', {}, [null], 1e300];
      return { field, values: values.filter((value) => !schema.safeParse(value).success).slice(0, 4) };
    })
    .filter(({ values }) => values.length > 0);
}

function jsonSchemaOf(schema: z.ZodType): JsonSchema {
  return z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' }) as JsonSchema;
}

function sample(schema: JsonSchema): unknown {
  if ('const' in schema) return schema.const;
  if (schema.enum) return schema.enum[0];
  const [choice] = schema.anyOf ?? schema.oneOf ?? [];
  if (choice) return sample(choice);
  switch (schema.type) {
    case 'object':
      return Object.fromEntries((schema.required ?? []).map((name) => [name, sample(schema.properties?.[name] ?? {})]));
    case 'array':
      return Array.from({ length: schema.minItems ?? 0 }, () => sample(schema.items ?? {}));
    case 'integer':
    case 'number':
      return Math.max(schema.minimum ?? 0, (schema.exclusiveMinimum ?? -1) + 1, 0);
    case 'boolean':
      return false;
    case 'null':
      return null;
    default:
      return sampleText(schema);
  }
}

function sampleText({ pattern, minLength = 1 }: JsonSchema): string {
  if (pattern === undefined) return 'x'.repeat(minLength);
  const [text = ''] = fc.sample(fc.stringMatching(new RegExp(pattern)), { numRuns: 1, seed: 1 });
  return text;
}
