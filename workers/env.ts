/** What a request carries through the Worker. */

import type { Principal } from '../schema/contracts/tokens.ts';
import type { Database } from './db.ts';

export interface Variables {
  request_id: string;
  /** Unix milliseconds at which the request came in; the one clock of a request. */
  now: number;
  db: Database;
  principal: Principal | null;
}

export interface AppEnv {
  Bindings: Env;
  Variables: Variables;
}
