/** The reference page: the OpenAPI document as HTML, without scripts and without resources of other origins. */
import { html } from 'hono/html';
import type { JsonSchema } from './examples.ts';
import type { OpenApiDocument } from './openapi.ts';
import type { Html } from './reference-fields.ts';
import { fieldsOf } from './reference-fields.ts';

const METHODS = ['get', 'post', 'put', 'delete'] as const;
const STYLE = `
:root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif; }
body { max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
section { border-top: 1px solid #8885; padding: 0.75rem 0; }
h3 { font: 600 1rem ui-monospace, monospace; margin: 0; overflow-wrap: anywhere; }
p { margin: 0.25rem 0; }
pre { overflow: auto; background: #8881; padding: 0.75rem; border-radius: 6px; font-size: 0.8rem; }
summary { cursor: pointer; }
li span { color: light-dark(#555, #aaa); }
`;

type Operation = NonNullable<NonNullable<OpenApiDocument['paths']>[string]['get']>;

export function referencePage(document: OpenApiDocument): Html {
  const operations = Object.entries(document.paths ?? {}).flatMap(([path, item]) =>
    METHODS.flatMap((method) => {
      const operation = item[method];
      return operation === undefined ? [] : [{ method, path, operation }];
    }),
  );
  const tags = (document.tags ?? []).map(({ name }) => name);
  return html`<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>${document.info.title}: API</title><style>${STYLE}</style></head>
<body>
<h1>${document.info.title}: API</h1>
<p>${document.info.description} OpenAPI document: <a href="/v1/openapi.json">/v1/openapi.json</a>.</p>
<nav>${tags.map((tag) => html`<a href="#${tag}">${tag}</a> `)}<a href="#schemas">schemas</a></nav>
${tags.map(
  (tag) => html`<h2 id="${tag}">${tag}</h2>
${operations
  .filter(({ operation }) => operation.tags?.includes(tag))
  .map(({ method, path, operation }) => section(method, path, operation))}`,
)}
<h2 id="schemas">schemas</h2>
<p>A question mark follows the name of a field that may be absent.</p>
${Object.entries(document.components?.schemas ?? {}).map(
  ([name, schema]) => html`<section id="schema-${name}"><h3>${name}</h3>${fieldsOf(schema as JsonSchema)}</section>
`,
)}
</body></html>`;
}

function section(method: string, path: string, operation: Operation): Html {
  const roles = Object.entries(operation).flatMap(([key, value]) =>
    key === 'x-roles' && Array.isArray(value) ? value.map(String) : [],
  );
  return html`<section id="${operation.operationId}">
<h3>${method.toUpperCase()} ${path}</h3>
<p>${operation.summary}</p>
<p>Roles: ${roles.length === 0 ? 'anyone' : roles.join(', ')}</p>
${parametersOf(operation)}${contentOf('Body', operation.requestBody)}${responsesOf(operation)}
</section>`;
}

function parametersOf({ parameters = [] }: Operation): Html {
  const fields = parameters.flatMap((one) => ('name' in one ? [one] : []));
  if (fields.length === 0) return html``;
  const schema: JsonSchema = {
    properties: Object.fromEntries(fields.map(({ name, schema }) => [name, (schema ?? {}) as JsonSchema])),
    required: fields.filter(({ required }) => required === true).map(({ name }) => name),
  };
  return html`<details><summary>Parameters</summary>${fieldsOf(schema)}</details>`;
}

/** Successes with their schema; failures with their codes only, because they all have one shape. */
function responsesOf({ responses = {} }: Operation): Html {
  return html`<ul>
${Object.entries(responses).map(([status, response]) => {
  const { description } = response as { description?: string };
  return html`<li>${status}: ${description} ${Number(status) < 400 ? contentOf('Response', response) : ''}</li>`;
})}
</ul>`;
}

/** The fields and the example of a request or a response. */
function contentOf(title: string, described: unknown): Html {
  const { content = {} } = (described ?? {}) as {
    content?: Record<string, { schema?: JsonSchema; example?: unknown }>;
  };
  return html`${Object.entries(content).map(
    ([media, { schema = {}, example }]) => html`<details><summary>${title}: ${media}</summary>${fieldsOf(schema)}
${example === undefined ? '' : html`<pre>${JSON.stringify(example, null, 2)}</pre>`}</details>`,
  )}`;
}
