/** Whether everything that one JSON Schema describes is read by another: how a change of a contract breaks a peer. */
export interface JsonSchema {
  [key: string]: unknown;
  type?: string;
  enum?: unknown[];
  const?: unknown;
  anyOf?: JsonSchema[];
  oneOf?: JsonSchema[];
  allOf?: JsonSchema[];
  items?: JsonSchema;
  properties?: Record<string, JsonSchema>;
  required?: string[];
  additionalProperties?: boolean | JsonSchema;
  pattern?: string;
}

/** With what `$ref` in each of them names. */
interface Roots {
  sent: JsonSchema;
  read: JsonSchema;
}

function resolve(schema: JsonSchema, root: JsonSchema): JsonSchema {
  const { $ref } = schema;
  if (typeof $ref !== 'string') return schema;
  const parts = $ref.split('/').slice(1);
  return parts.reduce<JsonSchema>((at, part) => (at[part] ?? {}) as JsonSchema, root);
}

const valuesOf = (schema: JsonSchema): unknown[] | null => ('const' in schema ? [schema.const] : (schema.enum ?? null));
const choicesOf = (schema: JsonSchema): JsonSchema[] | null => schema.anyOf ?? schema.oneOf ?? null;
const numberOf = (schema: JsonSchema, key: string, otherwise: number): number =>
  typeof schema[key] === 'number' ? schema[key] : otherwise;

const LIMITS = [
  ['minLength', 'maxLength', 0],
  ['minItems', 'maxItems', 0],
  ['minimum', 'maximum', Number.NEGATIVE_INFINITY],
  ['exclusiveMinimum', 'exclusiveMaximum', Number.NEGATIVE_INFINITY],
] as const;

function limitMisfits(sent: JsonSchema, read: JsonSchema, at: string): string[] {
  const found: string[] = [];
  for (const [least, most, none] of LIMITS) {
    if (numberOf(sent, least, none) < numberOf(read, least, none)) found.push(`${at}: may be below ${least}`);
    const endless = Number.POSITIVE_INFINITY;
    if (numberOf(sent, most, endless) > numberOf(read, most, endless)) found.push(`${at}: may be above ${most}`);
  }
  return found;
}

function fieldMisfits(sent: JsonSchema, read: JsonSchema, at: string, roots: Roots): string[] {
  const [given, known] = [sent.properties ?? {}, read.properties ?? {}];
  const missing = (read.required ?? [])
    .filter((name) => !(sent.required ?? []).includes(name))
    .map((name) => `${at}.${name}: may be absent`);
  const rest = read.additionalProperties;
  const fields = Object.entries(given).flatMap(([name, schema]) => {
    const reader = known[name] ?? (typeof rest === 'object' ? rest : undefined);
    if (reader !== undefined) return compare(schema, reader, `${at}.${name}`, roots);
    return rest === false ? [`${at}.${name}: is not known`] : [];
  });
  const others = sent.additionalProperties;
  const open = typeof others === 'object' && typeof rest === 'object' ? compare(others, rest, `${at}.*`, roots) : [];
  return [...missing, ...fields, ...open];
}

function compare(sentGiven: JsonSchema, readGiven: JsonSchema, at: string, roots: Roots): string[] {
  const sent = resolve(sentGiven, roots.sent);
  const read = resolve(readGiven, roots.read);
  if (JSON.stringify(sent) === JSON.stringify(read) || Object.keys(read).length === 0) return [];
  const sentChoices = choicesOf(sent);
  if (sentChoices !== null) return sentChoices.flatMap((one) => compare(one, read, at, roots));
  const readChoices = choicesOf(read);
  if (readChoices !== null) {
    const [closest = []] = readChoices
      .map((one) => compare(sent, one, at, roots))
      .sort((a, b) => a.length - b.length || a.join().length - b.join().length);
    return closest;
  }
  if (read.allOf !== undefined) return read.allOf.flatMap((one) => compare(sent, one, at, roots));
  if (sent.allOf !== undefined) {
    const all = sent.allOf.map((one) => compare(one, read, at, roots));
    return all.find((found) => found.length === 0) ?? all.flat();
  }
  const [given, taken] = [valuesOf(sent), valuesOf(read)];
  if (taken !== null) {
    if (given === null) return [`${at}: may have any value`];
    return given.filter((value) => !taken.includes(value)).map((value) => `${at}: may be ${JSON.stringify(value)}`);
  }
  const [from, to] = [sent.type ?? (given === null ? undefined : typeof given[0]), read.type];
  if (to !== undefined && from !== to && !(from === 'integer' && to === 'number')) {
    return [`${at}: ${from ?? 'anything'} instead of ${to}`];
  }
  if (given !== null) return [];
  if (read.pattern !== undefined && read.pattern !== sent.pattern) return [`${at}: need not match ${read.pattern}`];
  const items =
    read.items !== undefined && sent.type === 'array' ? compare(sent.items ?? {}, read.items, `${at}[]`, roots) : [];
  return [...limitMisfits(sent, read, at), ...items, ...fieldMisfits(sent, read, at, roots)];
}

/** What may be in a value of `sent` that a reader of `read` refuses; one line for each place. */
export function misfits(sent: JsonSchema, read: JsonSchema): string[] {
  return compare(sent, read, '$', { sent, read });
}
