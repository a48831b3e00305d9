/** Identity: roles, tokens, and the caller of a request. */
import { z } from 'zod';
import { ControllerIdSchema, DurationMsSchema, idSchema, TimestampSchema } from './common.ts';

export const ROLES = ['controller', 'worker', 'browser_admin', 'ops_admin', 'readonly'] as const;
export const RoleSchema = z.enum(ROLES);
export type Role = z.infer<typeof RoleSchema>;

/** The prefix of every secret, by which a scanner finds a leaked one. */
export const TOKEN_PREFIX = 'baa_';
/** Secrets that count as not set. */
export const PLACEHOLDER_SECRETS: readonly string[] = ['', 'replace-me'];
/** A bootstrap secret shorter than this could be guessed, so it counts as not set. */
export const BOOTSTRAP_SECRET_MIN_CHARS = 24;

export const TokenSchema = z.object({
  token_id: z.string(),
  role: RoleSchema,
  subject: z.string(),
  controller_id: z.string().nullable(),
  created_by: z.string(),
  created_at: TimestampSchema,
  expires_at: TimestampSchema.nullable(),
  revoked_at: TimestampSchema.nullable(),
  last_used_at: TimestampSchema.nullable(),
});
export type Token = z.infer<typeof TokenSchema>;

/** From a second to ten years. Without a lifetime a token is valid until it is revoked. */
const LifetimeMsSchema = DurationMsSchema.min(1_000).max(10 * 365 * 86_400_000);

export const TokenIdSchema = idSchema('tok');
export const TokenCreateBodySchema = z
  .strictObject({
    role: RoleSchema,
    subject: z.string().trim().min(1).max(120),
    controller_id: ControllerIdSchema.optional(),
    expires_in_ms: LifetimeMsSchema.optional(),
  })
  .refine((body) => (body.role === 'controller' || body.role === 'worker') === (body.controller_id !== undefined), {
    path: ['controller_id'],
    message: 'required for the roles controller and worker, and only for them',
  });
/** Without `expires_in_ms` the token keeps its expiry. */
export const TokenRotateBodySchema = z.strictObject({ expires_in_ms: LifetimeMsSchema.optional() });
export type TokenCreateBody = z.infer<typeof TokenCreateBodySchema>;
/** The only response that contains the secret. */
export const TokenCreatedSchema = TokenSchema.extend({ token: z.string() });
export type TokenCreated = z.infer<typeof TokenCreatedSchema>;

/** What authenticates a request: a bearer token, the cookie of a page that signed in, or Cloudflare Access. */
export const IDENTITY_SOURCES = ['token', 'session', 'access'] as const;
/** The token of a person who signs in. The Authorization header may carry it instead. */
export const SessionBodySchema = z.strictObject({ token: z.string().min(1).max(256).optional() });
/** The caller. `expires_at`: the end of the session; null when only its token ends it. */
export const SessionSchema = z.object({
  token_id: z.string(),
  role: RoleSchema,
  subject: z.string(),
  controller_id: z.string().nullable(),
  via: z.enum(IDENTITY_SOURCES),
  expires_at: TimestampSchema.nullable(),
});
export type Session = z.infer<typeof SessionSchema>;
/** A link that signs a page in, once and for a short time, as the token that made it. */
export const SignInLinkSchema = z.object({ sign_in_url: z.string(), expires_at: TimestampSchema });
export type SignInLink = z.infer<typeof SignInLinkSchema>;
export const SignInCodeSchema = z.string().regex(/^[A-Za-z0-9_-]{43}$/, 'the code of a sign-in link');
export const SessionEndedSchema = z.object({ signed_out: z.literal(true) });

/** The caller of an authenticated request. */
export interface Principal {
  token_id: string;
  role: Role;
  subject: string;
  controller_id: string | null;
}
