/** `conductor::describe`: the tool table, a line for each tool, short enough to arrive whole in a reply. */
import { z } from 'zod';
import type { ToolName } from '../../../schema/contracts/tools.ts';
import { TOOL_NAMES, TOOLS } from '../../../schema/contracts/tools.ts';
import type { EdgeToolHandler } from './tool.ts';

/** What of a JSON Schema the params of tools use. */
const TypeSchema = z.looseObject({
  type: z.string().optional(),
  enum: z.array(z.unknown()).optional(),
  const: z.unknown().optional(),
  items: z.unknown().optional(),
  additionalProperties: z.unknown().optional(),
  properties: z.record(z.string(), z.unknown()).optional(),
  required: z.array(z.string()).default([]),
});
const ParamsSchema = z.looseObject({
  properties: z.record(z.string(), z.unknown()).default({}),
  required: z.array(z.string()).default([]),
});

/** A type as it is written in TypeScript. */
function typeText(schema: unknown): string {
  const {
    type,
    enum: values,
    const: value,
    items,
    additionalProperties,
    properties,
    required,
  } = TypeSchema.parse(schema);
  if (value !== undefined) return JSON.stringify(value);
  if (values !== undefined) return values.map((one) => JSON.stringify(one)).join('|');
  if (type === 'array') return `${typeText(items)}[]`;
  if (properties !== undefined) {
    const fields = Object.entries(properties).map(
      ([key, field]) => `${key}${required.includes(key) ? '' : '?'}: ${typeText(field)}`,
    );
    return `{${fields.join(', ')}}`;
  }
  if (type === 'object') return `{[name]: ${typeText(additionalProperties)}}`;
  return type ?? 'any';
}

/** The parameters of a JSON Schema; ` {name: type, …}`, or nothing for none. `textParam` is marked by `*`. */
export function paramsText(schema: unknown, textParam: string | null = null): string {
  const { properties, required } = ParamsSchema.parse(schema);
  const listed = Object.entries(properties).map(([key, field]) => {
    const marks = `${required.includes(key) ? '' : '?'}${key === textParam ? '*' : ''}`;
    return `${key}${marks}: ${typeText(field)}`;
  });
  return listed.length === 0 ? '' : ` {${listed.join(', ')}}`;
}

const HEAD = [
  'Write a call as a line `@name::{JSON}` in a closed fenced block with the info string `baa`.',
  '? marks a parameter that may be missing. `@name::text` gives the text to the parameter marked *.',
];

function toolParams(name: ToolName): string {
  const { params, text_param } = TOOLS[name];
  return paramsText(z.toJSONSchema(params, { io: 'input' }), text_param);
}

/** The whole text of `describe`. */
export function describeTools(): string {
  const lines = TOOL_NAMES.map((name) => `${name}${toolParams(name)} - ${TOOLS[name].summary}`);
  return [...HEAD, ...lines].join('\n');
}

export const describe: EdgeToolHandler<'conductor::describe'> = async () => ({ output: describeTools() });
