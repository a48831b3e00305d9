/**
 * Links to artifacts that need no token: a person opens one from a chat. The link carries its own end and a signature
 * under a key derived from the bootstrap secret, so changing the secret ends every link at once.
 */
import { bootstrapSecret } from '../auth/authenticate.ts';
import { fromBase64Url, toBase64Url } from './base64.ts';
import { deriveKey } from './hash.ts';

const LINK_LASTS_MS = 7 * 86_400_000;
const PURPOSE = 'conductor artifact link';
/** `<end in base 36>.<signature>`: hex would be longer, and the path has one segment for both. */
const SIGNATURE = /^([0-9a-z]{1,11})\.([A-Za-z0-9_-]{43})$/;

/** The path of a link to that artifact, good for a week from `now` (Unix milliseconds). */
export async function signArtifact(env: Env, artifactId: string, now: number): Promise<string> {
  const end = (now + LINK_LASTS_MS).toString(36);
  const key = await deriveKey(bootstrapSecret(env), 'sign', PURPOSE);
  const signature = await crypto.subtle.sign('HMAC', key, signed(artifactId, end));
  return `/artifact/${artifactId}/${end}.${toBase64Url(new Uint8Array(signature))}`;
}

/** True for a signature that `signArtifact` made for that artifact and whose end has not come. Throws `auth_not_configured`. */
export async function verifyArtifactLink(
  env: Env,
  artifactId: string,
  signature: string,
  now: number,
): Promise<boolean> {
  const secret = bootstrapSecret(env);
  const [, end = '', mac = ''] = SIGNATURE.exec(signature) ?? [];
  const bytes = fromBase64Url(mac);
  if (end === '' || bytes === null || Number.parseInt(end, 36) <= now) return false;
  const key = await deriveKey(secret, 'sign', PURPOSE);
  return crypto.subtle.verify('HMAC', key, bytes, signed(artifactId, end));
}

function signed(artifactId: string, end: string): Uint8Array {
  return new TextEncoder().encode(`${artifactId}.${end}`);
}
