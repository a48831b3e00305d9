/**
 * Identity from Cloudflare Access, when `wrangler.toml` configures it. The assertion that Access adds to a request is
 * verified against the team's keys, issuer and audience. BAA_ACCESS_ROLES maps the person's address, or else its
 * domain, to a role; an address without a role is refused. While Access is not configured the header is ignored,
 * because any client could send it.
 */
import type { Context } from 'hono';
import type { JWTVerifyGetKey } from 'jose';
import { createRemoteJWKSet, errors, jwtVerify } from 'jose';
import { z } from 'zod';
import { AppError } from '../../schema/errors.ts';
import type { AccessKeys, AppEnv } from '../env.ts';

const HEADER_NAME = 'cf-access-jwt-assertion';
/** Roles of people. The roles of nodes are bound to a node, which no login page knows. */
const PersonRoleSchema = z.enum(['readonly', 'browser_admin', 'ops_admin']);
type PersonRole = z.infer<typeof PersonRoleSchema>;
const RolesSchema = z.record(z.string().toLowerCase(), PersonRoleSchema);
const ClaimsSchema = z.object({ email: z.email().toLowerCase(), exp: z.number() });

const keysByTeam = new Map<string, JWTVerifyGetKey>();
/** Fetches the keys from the team's own domain on demand and keeps them while this instance of the Worker lives. */
export const remoteAccessKeys: AccessKeys = (teamDomain) => {
  const keys = keysByTeam.get(teamDomain) ?? createRemoteJWKSet(new URL(`https://${teamDomain}/cdn-cgi/access/certs`));
  keysByTeam.set(teamDomain, keys);
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
 * The person that Access names; null when Access is not configured, or added no assertion. Throws `invalid_token`,
 * `expired_token`, `forbidden` for an address without a role, `auth_not_configured` for unreadable settings.
 */
export async function accessIdentity(c: Context<AppEnv>): Promise<AccessIdentity | null> {
  const settings = accessSettings(c.env);
  const assertion = c.req.header(HEADER_NAME);
  if (settings === null || assertion === undefined) return null;
  const { email, exp } = await verifyAssertion(c, settings, assertion);
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

async function verifyAssertion(c: Context<AppEnv>, { teamDomain, audience }: AccessSettings, assertion: string) {
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
    if (isInvalidAssertion(error)) throw new AppError('invalid_token', 'the Access assertion is not valid');
    throw error;
  }
}

/** Faults of the assertion itself; any other error is a failure to fetch the keys. */
const INVALID_ASSERTION: readonly string[] = [
  errors.JWTInvalid.code,
  errors.JWSInvalid.code,
  errors.JWTClaimValidationFailed.code,
  errors.JWSSignatureVerificationFailed.code,
  errors.JWKSNoMatchingKey.code,
  errors.JOSEAlgNotAllowed.code,
  errors.JOSENotSupported.code,
];

function isInvalidAssertion(error: unknown): boolean {
  return error instanceof z.ZodError || (error instanceof errors.JOSEError && INVALID_ASSERTION.includes(error.code));
}
