/**
 * What the fields of the named schemas mean, for the OpenAPI document. Most are said here and not at the contracts, because
 * status page and extension carry the contracts with them. A field means the same under its name everywhere, and what a contract
 * says of it itself counts more.
 */
import type { JsonSchema } from '../examples.ts';
import { CHATS } from './chats.ts';
import { EXACT } from './exact.ts';
import { NODES } from './nodes.ts';
import { SYSTEM } from './system.ts';
import { TASKS } from './tasks.ts';

export const FIELD_TEXTS: Readonly<Record<string, string>> = { ...CHATS, ...TASKS, ...NODES, ...SYSTEM, ...EXACT };
/** A schema that is read and written in two forms has the written one under this name. */
const WRITTEN = /Output$/;

export interface Field {
  /** `<schema>.<field>`, with the fields between. */
  place: string;
  name: string;
  schema: JsonSchema;
}

/** Every field of these schemas, also of the objects within them. */
export function fieldsOf(schemas: Readonly<Record<string, JsonSchema>>): Field[] {
  return Object.entries(schemas).flatMap(([name, schema]) => {
    const read = name.replace(WRITTEN, '');
    return within(schema, read in schemas ? read : name);
  });
}

function within(schema: JsonSchema, place: string): Field[] {
  const { properties = {}, items, additionalProperties, anyOf = [], oneOf = [], allOf = [] } = schema;
  const own = Object.entries(properties).flatMap(([name, field]) => {
    const inner = `${place}.${name}`;
    return [{ place: inner, name, schema: field }, ...within(field, inner)];
  });
  const values = typeof additionalProperties === 'object' ? [additionalProperties] : [];
  const parts = [...anyOf, ...oneOf, ...allOf, ...values, ...(items === undefined ? [] : [items])];
  return [...own, ...parts.flatMap((part) => within(part, place))];
}

/** Gives each field without a description that of its place, or else of its name. */
export function describeFields(schemas: Readonly<Record<string, JsonSchema>>): void {
  for (const { place, name, schema } of fieldsOf(schemas)) {
    const text = FIELD_TEXTS[place] ?? FIELD_TEXTS[name];
    if (text !== undefined) schema.description ??= text;
  }
}
