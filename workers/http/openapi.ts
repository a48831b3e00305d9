/** The OpenAPI 3.1 document, generated from the routes that app.ts mounts. */
import { z } from 'zod';
import type { ZodOpenApiOperationObject, ZodOpenApiOverride, ZodOpenApiPathsObject } from 'zod-openapi';
import { createDocument } from 'zod-openapi';
import { ErrorBodySchema, envelopeOf, HEADER } from '../../schema/contracts/common.ts';
import type { ErrorCode } from '../../schema/errors.ts';
import { ERROR_STATUS } from '../../schema/errors.ts';
import { SESSION_COOKIE } from '../auth/session-cookie.ts';
import type { JsonSchema } from './examples.ts';
import { addExamples } from './examples.ts';
import { describeFields } from './field-texts/describe.ts';
import { withNames } from './named-schemas.ts';
import { READERS } from './route.ts';
import type { RouteSpec } from './route-spec.ts';

export type OpenApiDocument = ReturnType<typeof createDocument>;

const AUTH_ERRORS: readonly ErrorCode[] = [
  'missing_token',
  'invalid_token',
  'unknown_token',
  'expired_token',
  'revoked_token',
  'forbidden',
  'rate_limited',
  'auth_not_configured',
  'database_unavailable',
];
const headers = z.object({
  [HEADER.request_id]: z.string().meta({
    description: 'Taken from the request when it is well formed, else generated.',
    header: { id: 'RequestId' },
  }),
});
const IdempotencyKeySchema = z
  .string()
  .max(500)
  .optional()
  .meta({ description: 'The same key and body returns the first response; another body is a conflict.' });

/** The document of these routes, in their order. */
export function openApiDocument(specs: readonly RouteSpec[]): OpenApiDocument {
  const paths: ZodOpenApiPathsObject = {};
  for (const spec of specs) {
    const path = spec.path.replace(/:([a-z_]+)/g, '{$1}');
    paths[path] = { ...paths[path], [spec.method]: operation(spec) };
  }
  const document = withNames(() =>
    createDocument(
      {
        openapi: '3.1.1',
        info: {
          title: 'The conductor',
          version: '1',
          description: 'Automation across hosts and browsers. All times are Unix milliseconds.',
          license: { name: 'MIT', identifier: 'MIT' },
        },
        servers: [{ url: '/' }],
        tags: [...new Set(specs.map(({ tag }) => tag))].map((name) => ({ name })),
        paths,
        components: {
          securitySchemes: {
            bearer: { type: 'http', scheme: 'bearer', description: 'A token, or the bootstrap secret.' },
            session: {
              type: 'apiKey',
              in: 'cookie',
              name: SESSION_COOKIE,
              description:
                'Cookie of a page that signed in (POST /v1/session). Its writes need the Origin of this API. Where the address names a port, `_` and the port are at the end of the name.',
            },
          },
        },
      },
      { override: openResponses },
    ),
  );
  describeFields((document.components?.schemas ?? {}) as Record<string, JsonSchema>);
  addExamples(document);
  return document;
}

/** Responses may gain fields later, so a client that validates them by this document must accept unknown fields. */
const openResponses: ZodOpenApiOverride = ({ jsonSchema, zodSchema, io }) => {
  const { def } = zodSchema._zod;
  if (io === 'output' && def.type === 'object' && jsonSchema.additionalProperties === false) {
    delete jsonSchema.additionalProperties;
  }
};

function operation(spec: RouteSpec): ZodOpenApiOperationObject {
  const { params, query, body, roles } = spec;
  return {
    operationId: operationId(spec),
    summary: spec.summary,
    tags: [spec.tag],
    security: securityOf(spec),
    'x-roles': [...roles],
    requestParams: {
      ...(params instanceof z.ZodObject ? { path: params } : {}),
      ...(query instanceof z.ZodObject ? { query } : {}),
      ...(spec.method === 'get' ? {} : { header: z.object({ [HEADER.idempotency_key]: IdempotencyKeySchema }) }),
    },
    ...(body === undefined
      ? {}
      : { requestBody: { required: true, content: { 'application/json': { schema: body } } } }),
    responses: { ...success(spec), ...failures(spec) },
  };
}

/** Only roles of people can use a session. A sign-in takes its token from the header or the body. */
function securityOf({ roles, signsIn }: RouteSpec): NonNullable<ZodOpenApiOperationObject['security']> {
  if (roles.length === 0) return [];
  if (signsIn === true) return [{ bearer: [] }, {}];
  return READERS.some((role) => roles.includes(role)) ? [{ bearer: [] }, { session: [] }] : [{ bearer: [] }];
}

function success({
  status = 200,
  summary,
  data,
  produces,
  accepts,
}: RouteSpec): ZodOpenApiOperationObject['responses'] {
  if (status === 101 || status === 303) return { [status]: { description: summary, headers } };
  const media = produces ?? 'application/json';
  const schema = produces === undefined ? envelopeOf(data) : data;
  return {
    [status]: { description: summary, headers, content: { [media]: { schema } } },
    ...(accepts === true && { 202: { description: 'taken; there is nothing to respond', headers } }),
  };
}

/** The shape of every failure. The description of each status lists the codes of the route. */
function failures(spec: RouteSpec): ZodOpenApiOperationObject['responses'] {
  const byStatus = Map.groupBy(errorCodes(spec), (code) => ERROR_STATUS[code]);
  return Object.fromEntries(
    [...byStatus].map(([status, codes]) => {
      const content = { 'application/json': { schema: ErrorBodySchema } };
      return [status, { description: codes.join(', '), headers, content }];
    }),
  );
}

function errorCodes({ roles, method, params, query, body, errors = [] }: RouteSpec): ErrorCode[] {
  return [
    ...new Set<ErrorCode>([
      ...(params || query || body ? (['invalid_request'] as const) : []),
      ...(roles.length === 0 ? [] : AUTH_ERRORS),
      ...(roles.includes('controller') || roles.includes('worker') ? (['not_owner'] as const) : []),
      ...(body ? (['payload_too_large', 'unsupported_media_type'] as const) : []),
      ...(method === 'get' ? [] : (['conflict'] as const)),
      ...errors,
      'internal',
    ]),
  ];
}

/** `get_v1_tokens`, `post_v1_tokens_by_token_id_rotate`: stable, because generated clients use it as a name. */
function operationId({ method, path }: RouteSpec): string {
  const words = path.split(/[/.]/).filter((word) => word !== '');
  return [method, ...words.map((word) => word.replace(':', 'by_').replaceAll('-', '_'))].join('_');
}
