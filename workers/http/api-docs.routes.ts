/** The API's description of itself: the OpenAPI document and the reference page. */
import { z } from 'zod';
import type { OpenApiDocument } from './openapi.ts';
import { openApiDocument } from './openapi.ts';
import { referencePage } from './reference-page.ts';
import type { MountedRoute } from './route.ts';
import { publicRoute } from './route.ts';

const tag = 'documentation';
const CACHE = { 'cache-control': 'public, max-age=300' };

/** The documentation routes, which describe `described` and themselves. */
export function apiDocs(described: readonly MountedRoute[]): readonly MountedRoute[] {
  let cached: OpenApiDocument | null = null;
  // Built on first use, so that it does not slow the start of the Worker.
  const document = (): OpenApiDocument => {
    cached ??= openApiDocument([...described, ...own].map((route) => route.spec));
    return cached;
  };
  const own: readonly MountedRoute[] = [
    publicRoute(
      {
        method: 'get',
        path: '/v1/openapi.json',
        summary: 'Get this API as an OpenAPI 3.1 document',
        tag,
        data: z.record(z.string(), z.unknown()),
        produces: 'application/json',
      },
      (c) => c.json(document(), 200, CACHE),
    ),
    publicRoute(
      {
        method: 'get',
        path: '/v1/docs',
        summary: 'Get this API as a reference page',
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
