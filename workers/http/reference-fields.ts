/** A schema of the OpenAPI document as a list of its fields, with links to the schemas that have a name. */
import { html } from 'hono/html';
import type { HtmlEscapedString } from 'hono/utils/html';
import type { JsonSchema } from './examples.ts';

export type Html = HtmlEscapedString | Promise<HtmlEscapedString>;

const PREFIX = '#/components/schemas/';

/** One line for each field, and the fields of a nested object below it. */
export function fieldsOf(schema: JsonSchema): Html {
  const { properties = {}, required = [] } = objectIn(schema) ?? {};
  const fields = Object.entries(properties);
  if (fields.length === 0) return html`<p>${typeOf(schema)}</p>`;
  return html`<ul>${fields.map(
    ([name, field]) => html`<li><code>${name}</code>${required.includes(name) ? '' : '?'} ${typeOf(field)}
${field.description === undefined ? '' : html`<span>${field.description}</span>`}${objectIn(field)?.properties === undefined ? '' : fieldsOf(field)}</li>
`,
  )}</ul>`;
}

/** The object without a name that this schema is, or holds in a list, or may be. */
function objectIn(schema: JsonSchema | undefined): JsonSchema | undefined {
  if (schema === undefined || schema.$ref !== undefined) return undefined;
  if (schema.properties !== undefined) return schema;
  const inner = [schema.items, ...(schema.anyOf ?? []), ...(schema.oneOf ?? []), ...(schema.allOf ?? [])];
  return inner.map(objectIn).find((found) => found !== undefined);
}

function typeOf(schema: JsonSchema): Html {
  const { $ref, items, anyOf, oneOf, allOf, type, const: only } = schema;
  if ($ref !== undefined) {
    const name = $ref.replace(PREFIX, '');
    return html`<a href="#schema-${name}">${name}</a>`;
  }
  if (items !== undefined) return html`list of ${typeOf(items)}`;
  const parts = anyOf ?? oneOf ?? allOf;
  if (parts !== undefined) return html`${parts.map((part, n) => html`${n === 0 ? '' : ' or '}${typeOf(part)}`)}`;
  if (only !== undefined) return html`${JSON.stringify(only)}`;
  if (schema.enum !== undefined) return html`${schema.enum.map((one) => JSON.stringify(one)).join(' or ')}`;
  return html`${type === undefined ? 'anything' : [type].flat().join(' or ')}`;
}
