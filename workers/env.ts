/** What a request carries through the Worker. */

import type { Principal } from '../schema/contracts/tokens.ts';
import type { ErrorCode } from '../schema/errors.ts';
import type { Database } from './db.ts';

export interface Variables {
  request_id: string;
  /** Unix milliseconds at which the request came in; the one clock of a request. */
  now: number;
  db: Database;
  principal: Principal | null;
  /** The path as the route declares it, for the log; null when no route took the request. */
  route: string | null;
  error: ErrorCode | null;
}

export interface AppEnv {
  Bindings: Env;
  Variables: Variables;
}
