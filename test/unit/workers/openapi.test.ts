import { Validator } from '@seriousme/openapi-schema-validator';
import { describe, expect, it } from 'vitest';
import { ERROR_STATUS } from '../../../schema/errors.ts';
import { openApiDocument } from '../../../workers/http/openapi.ts';
import { referencePage } from '../../../workers/http/reference-page.ts';
import { READERS } from '../../../workers/http/route.ts';
import { ROUTES } from '../../../workers/routes.ts';

const specs = ROUTES.map((route) => route.spec);
const document = openApiDocument(specs);
const operations = Object.entries(document.paths ?? {}).flatMap(([path, item]) =>
  (['get', 'post', 'put', 'delete'] as const).flatMap((method) => {
    const operation = item[method];
    return operation ? [{ name: `${method} ${path}`, operation }] : [];
  }),
);

describe('the OpenAPI document', () => {
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
      const media = operation.requestBody.content['application/json'];
      expect(media, name).toMatchObject({ schema: { additionalProperties: false } });
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
    expect(page).not.toMatch(/<script|src=|https?:\/\/(?!json-schema)/);
  });
});
