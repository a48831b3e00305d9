/** The reference page: the OpenAPI document as HTML, without scripts and without resources of other origins. */
import { html } from 'hono/html';
import type { HtmlEscapedString } from 'hono/utils/html';
import type { OpenApiDocument } from './openapi.ts';

const METHODS = ['get', 'post', 'put', 'delete'] as const;
const STYLE = `
:root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif; }
body { max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
section { border-top: 1px solid #8885; padding: 0.75rem 0; }
h3 { font: 600 1rem ui-monospace, monospace; margin: 0; overflow-wrap: anywhere; }
p { margin: 0.25rem 0; }
pre { overflow: auto; background: #8881; padding: 0.75rem; border-radius: 6px; font-size: 0.8rem; }
summary { cursor: pointer; }
`;

type Operation = NonNullable<NonNullable<OpenApiDocument['paths']>[string]['get']>;
type Html = HtmlEscapedString | Promise<HtmlEscapedString>;

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
<nav>${tags.map((tag) => html`<a href="#${tag}">${tag}</a> `)}</nav>
${tags.map(
  (tag) => html`<h2 id="${tag}">${tag}</h2>
${operations
  .filter(({ operation }) => operation.tags?.includes(tag))
  .map(({ method, path, operation }) => section(method, path, operation))}`,
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
${details('Parameters', operation.parameters)}${details('Body', operation.requestBody)}${responsesOf(operation)}
</section>`;
}

/** Successes with their schema; failures with their codes only, because they all have one shape. */
function responsesOf({ responses = {} }: Operation): Html {
  return html`<ul>
${Object.entries(responses).map(([status, response]) => {
  const { description, content } = response as { description?: string; content?: unknown };
  return html`<li>${status}: ${description} ${Number(status) < 400 ? details('Response', content) : ''}</li>`;
})}
</ul>`;
}

function details(title: string, value: unknown): Html {
  if (value === undefined) return html``;
  return html`<details><summary>${title}</summary><pre>${JSON.stringify(value, null, 2)}</pre></details>`;
}
