/** Bindings of the Worker, and the variables that a request carries through it. */
import type { RequestIdVariables } from 'hono/request-id';
import type { JWTVerifyGetKey } from 'jose';
import type { Session } from '../schema/contracts/tokens.ts';
import type { ErrorCode } from '../schema/errors.ts';
import type { Database } from './db/open.ts';

/** Finds the public keys with which a team domain of Cloudflare Access signs. */
export type AccessKeys = (teamDomain: string) => JWTVerifyGetKey;

export interface Variables extends RequestIdVariables {
  /** Unix milliseconds at which the request arrived; the only clock of a request. */
  now: number;
  db: Database;
  identity: Session | null;
  /**
   * Raw credential of the caller: token, cookie or Access assertion. Also the key for encrypting responses that carry
   * a secret. Never logged; empty while unauthenticated.
   */
  credential: string;
  accessKeys: AccessKeys;
  /** The path as its route declares it, for the log; null when no route matched. */
  route: string | null;
  error: ErrorCode | null;
  /** Settles when the body was sent, for a response whose work continues meanwhile; null for every other. */
  bodyEnd: Promise<void> | null;
}

export interface AppEnv {
  Bindings: Env;
  Variables: Variables;
}
