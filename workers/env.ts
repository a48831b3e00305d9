/** What a request carries through the Worker. */
import type { Session } from '../schema/contracts/tokens.ts';
import type { ErrorCode } from '../schema/errors.ts';
import type { AccessKeys } from './auth/access.ts';
import type { Database } from './db/open.ts';

export interface Variables {
  request_id: string;
  /** Unix milliseconds at which the request came in; the one clock of a request. */
  now: number;
  db: Database;
  identity: Session | null;
  /** What proved that identity, and seals what only its owner may read again; never logged. Empty for nobody. */
  credential: string;
  accessKeys: AccessKeys;
  /** The path as the route declares it, for the log; null when no route took the request. */
  route: string | null;
  error: ErrorCode | null;
}

export interface AppEnv {
  Bindings: Env;
  Variables: Variables;
}
