import { readdirSync } from 'node:fs';
import { Validator } from '@seriousme/openapi-schema-validator';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { envelopeOf } from '../../../schema/contracts/common.ts';
import { TaskCreateBodySchema, TaskPlanBodySchema } from '../../../schema/contracts/tasks.ts';
import { ERROR_STATUS } from '../../../schema/errors.ts';
import { openApiDocument } from '../../../workers/http/openapi.ts';
import { referencePage } from '../../../workers/http/reference-page.ts';
import { READERS } from '../../../workers/http/route.ts';
import { ROUTES } from '../../../workers/routes.ts';

const specs = ROUTES.map((route) => route.spec);
const document = openApiDocument(specs);
const FOLDER = new URL('../../../schema/contracts/', import.meta.url);
const modules: Record<string, unknown>[] = await Promise.all(
  readdirSync(FOLDER).map((file) => import(new URL(file, FOLDER).href)),
);
/** The names of the contracts that are objects. */
const exported = new Map(
  modules
    .flatMap((exports) => Object.entries(exports))
    .flatMap(([name, value]) => (value instanceof z.ZodObject ? [[value as z.ZodType, name] as const] : [])),
);
const operations = Object.entries(document.paths ?? {}).flatMap(([path, item]) =>
  (['get', 'post', 'put', 'delete'] as const).flatMap((method) => {
    const operation = item[method];
    return operation ? [{ name: `${method} ${path}`, operation }] : [];
  }),
);

/** The schema itself, also where the document has it by its name. */
function named(schema: object = {}): object {
  const [, name = ''] = '$ref' in schema ? String(schema.$ref).split('#/components/schemas/') : [];
  const found = document.components?.schemas?.[name];
  return typeof found === 'object' ? found : schema;
}

/** The parts of each route that are JSON objects, with their media type in the document. */
const bodies = specs.flatMap((spec) => {
  const operation = document.paths?.[spec.path.replace(/:([a-z_]+)/g, '{$1}')]?.[spec.method];
  const request = operation?.requestBody as { content: Record<string, Media> } | undefined;
  const response = operation?.responses?.[String(spec.status ?? 200)] as
    | { content?: Record<string, Media> }
    | undefined;
  const name = `${spec.method} ${spec.path}`;
  const isJson = spec.produces === undefined && response?.content !== undefined;
  return [
    ...(spec.body
      ? [
          {
            name: `the body of ${name}`,
            contract: spec.body,
            schema: spec.body,
            media: request?.content['application/json'],
          },
        ]
      : []),
    ...(isJson
      ? [
          {
            name: `the response to ${name}`,
            contract: spec.data,
            schema: envelopeOf(spec.data),
            media: response.content?.['application/json'],
          },
        ]
      : []),
  ];
});
interface Media {
  schema?: object;
  example?: unknown;
}

describe('the OpenAPI document', () => {
  it.each(bodies)('has an example of $name that its contract accepts', ({ schema, media }) => {
    expect(schema.safeParse(media?.example)).toMatchObject({ success: true });
  });

  it.each(bodies.filter(({ contract }) => exported.has(contract)))(
    'refers to $name by its name',
    ({ contract, media }) => {
      const name = exported.get(contract)?.replace(/Schema$/, '');
      expect(JSON.stringify(media?.schema)).toContain(`"#/components/schemas/${name}`);
    },
  );

  it('has the descriptions of the contracts', () => {
    const repo = TaskCreateBodySchema.shape.repo.description;
    expect(repo).toMatch(/folder of its own/);
    expect(named({ $ref: '#/components/schemas/TaskCreateBody' })).toMatchObject({
      properties: { repo: { description: repo } },
    });
  });

  it('leaves no name behind, by which other lists of schemas would become references', () => {
    expect(z.toJSONSchema(TaskPlanBodySchema, { io: 'input' })).not.toHaveProperty('$defs');
  });

  it('is valid', async () => {
    const result = await new Validator().validate(JSON.parse(JSON.stringify(document)));
    expect(result).toEqual({ valid: true });
  });

  it('has every route and no other', () => {
    const declared = specs.map(({ method, path }) => `${method} ${path.replace(/:([a-z_]+)/g, '{$1}')}`);
    expect(operations.map(({ name }) => name).sort()).toEqual(declared.sort());
  });

  it('gives every operation a unique id', () => {
    const names = operations.map(({ operation }) => operation.operationId);
    expect(new Set(names).size).toBe(names.length);
  });

  it.each(operations)('describes the callers and the responses of $name', ({ operation }) => {
    const { security, responses } = operation;
    const roles: unknown = operation['x-roles'];
    expect(Array.isArray(roles)).toBe(true);
    if ((roles as string[]).length === 0) expect(security).toEqual([]);
    else expect(security?.[0]).toEqual({ bearer: [] });
    const isForPages = READERS.some((role) => (roles as string[]).includes(role));
    const bySession = security?.some((way) => 'session' in way);
    expect(bySession === true).toBe(isForPages && operation.operationId !== 'post_v1_session');
    expect(Object.keys(responses ?? {}).some((status) => /^(101|20[01]|303)$/.test(status))).toBe(true);
    if (security?.length)
      expect(Object.keys(responses ?? {})).toEqual(expect.arrayContaining(['401', '403', '429', '503']));
  });

  it('names the parameters of every path', () => {
    for (const { name, operation } of operations) {
      const wanted = [...name.matchAll(/\{([a-z_]+)\}/g)].map(([, parameter]) => parameter);
      const described = (operation.parameters ?? []).flatMap((parameter) =>
        'in' in parameter && parameter.in === 'path' ? [parameter.name] : [],
      );
      expect(described, name).toEqual(wanted);
    }
  });

  it('refuses unknown fields in every body that it describes', () => {
    for (const { name, operation } of operations) {
      if (!operation.requestBody || '$ref' in operation.requestBody) continue;
      const media = operation.requestBody.content['application/json'] as Media | undefined;
      expect(named(media?.schema), name).toMatchObject({ additionalProperties: false });
    }
  });

  it('lists every error code under its status', () => {
    for (const { operation } of operations) {
      for (const [status, response] of Object.entries(operation.responses ?? {})) {
        const codes = Number(status) < 400 ? [] : String(response.description).split(', ');
        for (const code of codes) expect(ERROR_STATUS[code as keyof typeof ERROR_STATUS]).toBe(Number(status));
      }
    }
  });
});

describe('the reference page', () => {
  it('shows every operation without scripts and foreign resources', async () => {
    const page = String(await referencePage(document));
    for (const { operation } of operations) expect(page).toContain(`id="${operation.operationId}"`);
    for (const name of Object.keys(document.components?.schemas ?? {})) expect(page).toContain(`id="schema-${name}"`);
    expect(page).toContain('<a href="#schema-TaskDetail">TaskDetail</a>');
    expect(page).toContain(String(TaskCreateBodySchema.shape.repo.description));
    expect(page).not.toMatch(/<script|src=|href="http|url\(/);
  });
});
