/**
 * Links to artifacts that need no token, so that a person can open one from a chat. The link carries its expiry and a
 * signature under a key derived from the bootstrap secret: a new secret invalidates every link.
 */
import { bootstrapSecret } from './bootstrap-secret.ts';
import { isSignedBy, SIGNATURE_PATTERN, sign } from './signature.ts';

const LINK_LASTS_MS = 7 * 86_400_000;
const PURPOSE = 'conductor artifact link';
/** `<expiry in base 36>.<signature>`, one path segment. */
const SIGNATURE = new RegExp(`^([0-9a-z]{1,11})[.](${SIGNATURE_PATTERN})$`);

/** The path of a link to that artifact, valid for a week from `now` (Unix milliseconds). */
export async function signArtifact(env: Env, artifactId: string, now: number): Promise<string> {
  const expiry = (now + LINK_LASTS_MS).toString(36);
  return `/artifact/${artifactId}/${expiry}.${await sign(bootstrapSecret(env), PURPOSE, `${artifactId}.${expiry}`)}`;
}

/** True for an unexpired signature by `signArtifact` for that artifact. Throws `auth_not_configured`. */
export async function verifyArtifactLink(
  env: Env,
  artifactId: string,
  signature: string,
  now: number,
): Promise<boolean> {
  const secret = bootstrapSecret(env);
  const [, expiry, mac] = SIGNATURE.exec(signature) ?? [];
  if (expiry === undefined || mac === undefined || Number.parseInt(expiry, 36) <= now) return false;
  return isSignedBy(secret, PURPOSE, `${artifactId}.${expiry}`, mac);
}
