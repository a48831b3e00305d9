/** HMAC-SHA-256 signatures of short texts, as base64url. Each purpose signs under a key of its own. */
import { BASE64URL } from './base64url.ts';
import { deriveKey } from './hash.ts';

/** A regular expression for one signature, to be embedded in a longer pattern. */
export const SIGNATURE_PATTERN = '[A-Za-z0-9_-]{43}';

export async function sign(secret: string, purpose: string, text: string): Promise<string> {
  const key = await deriveKey(secret, 'sign', purpose);
  const mac = await crypto.subtle.sign('HMAC', key, new TextEncoder().encode(text));
  return new Uint8Array(mac).toBase64(BASE64URL);
}

/** Compares in constant time. `signature` must match SIGNATURE_PATTERN. */
export async function isSignedBy(secret: string, purpose: string, text: string, signature: string): Promise<boolean> {
  const key = await deriveKey(secret, 'sign', purpose);
  const mac = Uint8Array.fromBase64(signature, BASE64URL);
  return crypto.subtle.verify('HMAC', key, mac, new TextEncoder().encode(text));
}
