/**
 * Cloudflare Access in front of the Worker, when `wrangler.toml` says so. The assertion that Access adds to a request is
 * verified with the team's own keys, issuer and audience, and the person's email is mapped to a role by a declared map:
 * the address itself first, then its domain. Nobody else gets in this way. While nothing is set the header is not even
 * looked at, as anyone could send it.
 */
import type { Context } from 'hono';
import type { JWTVerifyGetKey } from 'jose';
import { createRemoteJWKSet, errors, jwtVerify } from 'jose';
import { z } from 'zod';
import { AppError } from '../../schema/errors.ts';
import type { AppEnv } from '../env.ts';

const HEADER_NAME = 'cf-access-jwt-assertion';
/** What people may be; the roles of nodes are bound to a node, and a login page knows none. */
const PersonRoleSchema = z.enum(['readonly', 'browser_admin', 'ops_admin']);
type PersonRole = z.infer<typeof PersonRoleSchema>;
const RolesSchema = z.record(z.string().toLowerCase(), PersonRoleSchema);
const ClaimsSchema = z.object({ email: z.email().toLowerCase(), exp: z.number() });

/** The public keys of that team domain. */
export type AccessKeys = (teamDomain: string) => JWTVerifyGetKey;

const known = new Map<string, JWTVerifyGetKey>();
/** Read from the team's own address when needed, and kept for as long as this instance of the Worker lives. */
export const remoteAccessKeys: AccessKeys = (teamDomain) => {
  const keys = known.get(teamDomain) ?? createRemoteJWKSet(new URL(`https://${teamDomain}/cdn-cgi/access/certs`));
  known.set(teamDomain, keys);
  return keys;
};

export interface AccessIdentity {
  email: string;
  role: PersonRole;
  /** Unix milliseconds. */
  ends_at: number;
  assertion: string;
}

/**
 * Who Access says is asking; null when it is not configured, or says nothing of this request. Throws `invalid_token`,
 * `expired_token`, `forbidden` for an address without a role, `auth_not_configured` for settings that make no sense.
 */
export async function accessIdentity(c: Context<AppEnv>): Promise<AccessIdentity | null> {
  const settings = accessSettings(c.env);
  const assertion = c.req.header(HEADER_NAME);
  if (settings === null || assertion === undefined) return null;
  const { email, exp } = await verified(c, settings, assertion);
  const role = settings.roles[email] ?? settings.roles[email.slice(email.lastIndexOf('@') + 1)];
  if (role === undefined) throw new AppError('forbidden', 'BAA_ACCESS_ROLES has no role for this address');
  return { email, role, ends_at: exp * 1_000, assertion };
}

interface AccessSettings {
  teamDomain: string;
  audience: string;
  roles: Record<string, PersonRole>;
}

function accessSettings(env: Partial<Env>): AccessSettings | null {
  const teamDomain = (env.BAA_ACCESS_TEAM_DOMAIN ?? '').replace(/^https:\/\//, '').replace(/\/$/, '');
  const audience = env.BAA_ACCESS_AUD ?? '';
  if (teamDomain === '' || audience === '') return null;
  try {
    return { teamDomain, audience, roles: RolesSchema.parse(JSON.parse(env.BAA_ACCESS_ROLES || '{}')) };
  } catch {
    throw new AppError(
      'auth_not_configured',
      'BAA_ACCESS_ROLES is not JSON of the form {"<email or domain>":"<role>"}',
    );
  }
}

async function verified(c: Context<AppEnv>, { teamDomain, audience }: AccessSettings, assertion: string) {
  try {
    const { payload } = await jwtVerify(assertion, c.var.accessKeys(teamDomain), {
      issuer: `https://${teamDomain}`,
      audience,
      algorithms: ['RS256', 'ES256'],
      currentDate: new Date(c.var.now),
    });
    return ClaimsSchema.parse(payload);
  } catch (error) {
    if (error instanceof errors.JWTExpired) throw new AppError('expired_token', 'the Access login has expired');
    if (isRefusal(error)) throw new AppError('invalid_token', 'the Access assertion is not valid here');
    throw error;
  }
}

/** What is wrong with the assertion itself, as against with reading the keys. */
const REFUSALS: readonly string[] = [
  errors.JWTInvalid.code,
  errors.JWSInvalid.code,
  errors.JWTClaimValidationFailed.code,
  errors.JWSSignatureVerificationFailed.code,
  errors.JWKSNoMatchingKey.code,
  errors.JOSEAlgNotAllowed.code,
  errors.JOSENotSupported.code,
];

function isRefusal(error: unknown): boolean {
  return error instanceof z.ZodError || (error instanceof errors.JOSEError && REFUSALS.includes(error.code));
}
