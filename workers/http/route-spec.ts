/** What a route declares about itself. Mounting, validation, authorization, OpenAPI and the route tests derive from it. */
import type { z } from 'zod';
import type { Role } from '../../schema/contracts/tokens.ts';
import type { ErrorCode } from '../../schema/errors.ts';

/** The schema of a part of the request; undefined when the route takes no such part. */
export type Schema = z.ZodType | undefined;
export type Parsed<S extends Schema> = S extends z.ZodType ? z.output<S> : undefined;

export interface RouteSpec<
  P extends Schema = Schema,
  Q extends Schema = Schema,
  B extends Schema = Schema,
  D extends z.ZodType = z.ZodType,
> {
  method: 'get' | 'post' | 'put' | 'delete';
  /** With `:name` parameters, as hono spells them. */
  path: string;
  /** One plain sentence for the reference page. */
  summary: string;
  tag: string;
  /** Roles that may call it; empty for a public route. */
  roles: readonly Role[];
  params?: P;
  query?: Q;
  body?: B;
  /** How large the body may be, where it may be larger than that of other routes. */
  maxBodyBytes?: number;
  /** `data` of the response envelope. */
  data: D;
  /** Status of a success; 101 is an upgrade to a WebSocket, 303 leads to the status page. */
  status?: 101 | 200 | 201 | 303;
  /** It also responds 202 without a body: to what has no response. */
  accepts?: true;
  /** Media type of a response without the JSON envelope, whose content `data` then describes. */
  produces?: string;
  /** Error codes beyond those of every route. */
  errors?: readonly ErrorCode[];
  /** Signs in: takes a token only, as `token` of the body or in the header. */
  signsIn?: true;
}
