/** What this API offers, told by itself: the OpenAPI document and a page to read. */
import { z } from 'zod';
import type { OpenApiDocument } from './openapi.ts';
import { openApiDocument } from './openapi.ts';
import { referencePage } from './reference-page.ts';
import type { MountedRoute } from './route.ts';
import { open } from './route.ts';

const tag = 'documentation';
const CACHE = { 'cache-control': 'public, max-age=300' };

/** The routes that describe `described` and themselves. */
export function apiDocs(described: readonly MountedRoute[]): readonly MountedRoute[] {
  let made: OpenApiDocument | null = null;
  // Made when first asked for: a start of the Worker has better things to do.
  const document = (): OpenApiDocument => {
    made ??= openApiDocument([...described, ...own].map((route) => route.spec));
    return made;
  };
  const own: readonly MountedRoute[] = [
    open(
      {
        method: 'get',
        path: '/v1/openapi.json',
        summary: 'This API as an OpenAPI 3.1 document',
        tag,
        data: z.record(z.string(), z.unknown()),
        produces: 'application/json',
      },
      (c) => c.json(document(), 200, CACHE),
    ),
    open(
      {
        method: 'get',
        path: '/v1/docs',
        summary: 'This API as a page to read',
        tag,
        data: z.string(),
        produces: 'text/html',
      },
      (c) =>
        c.html(referencePage(document()), 200, {
          ...CACHE,
          'content-security-policy': "default-src 'none'; style-src 'unsafe-inline'",
          'x-content-type-options': 'nosniff',
        }),
    ),
  ];
  return own;
}
