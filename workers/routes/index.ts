/** Every route, once. The application mounts this list; OpenAPI and the tests that try every route read it. */
import type { MountedRoute } from '../route.ts';

export const ROUTES: readonly MountedRoute[] = [];
