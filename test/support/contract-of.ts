/** What a version reads and sends, as JSON Schema without words: the routes of the edge and the frames of both sockets. */
import { z } from 'zod';
import type { JsonSchema } from './schema-misfits.ts';

export interface ContractModules {
  routes: readonly { spec: { method: string; path: string; query?: unknown; body?: unknown; data?: unknown } }[];
  /** By who sends them; `results`: what a node responds to each kind of command. */
  frames: Record<'node' | 'results' | 'edge' | 'extension' | 'agent', unknown>;
}

export interface Contract {
  routes: Record<string, { query?: JsonSchema; body?: JsonSchema; data: JsonSchema }>;
  frames: Record<keyof ContractModules['frames'], JsonSchema>;
}

const WORDS = new Set(['$schema', 'description', 'default', 'id', 'title', 'examples', 'format', 'deprecated']);

/** `keys`: whether the keys are names of fields, which stay. */
function withoutWords(value: unknown, keys: boolean): unknown {
  if (Array.isArray(value)) return value.map((item) => withoutWords(item, false));
  if (typeof value !== 'object' || value === null) return value;
  const kept = Object.entries(value).filter(([key]) => keys || !WORDS.has(key));
  return Object.fromEntries(
    kept.map(([key, item]) => [key, withoutWords(item, !keys && (key === 'properties' || key === '$defs'))]),
  );
}

function jsonSchemaOf(schema: unknown): JsonSchema {
  return withoutWords(
    z.toJSONSchema(schema as z.ZodType, { io: 'input', unrepresentable: 'any' }),
    false,
  ) as JsonSchema;
}

export function contractOf({ routes, frames }: ContractModules): Contract {
  const named = routes.map(({ spec: { method, path, query, body, data } }) => [
    `${method.toUpperCase()} ${path}`,
    {
      ...(query !== undefined && { query: jsonSchemaOf(query) }),
      ...(body !== undefined && { body: jsonSchemaOf(body) }),
      data: jsonSchemaOf(data),
    },
  ]);
  const { node, results, edge, extension, agent } = frames;
  return {
    routes: Object.fromEntries(named),
    frames: {
      node: jsonSchemaOf(node),
      results: jsonSchemaOf(results),
      edge: jsonSchemaOf(edge),
      extension: jsonSchemaOf(extension),
      agent: jsonSchemaOf(agent),
    },
  };
}
