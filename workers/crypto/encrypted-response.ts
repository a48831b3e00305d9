/**
 * A stored answer that carries a secret is sealed with a key derived from the bearer token of the caller that got it:
 * who repeats the write with that token reads it again, who reads the database does not.
 */
import { fromBase64Url, toBase64Url } from './base64.ts';
import { deriveKey } from './hash.ts';

const PREFIX = 'sealed:';
const IV_BYTES = 12;
const PURPOSE = 'conductor stored answer';

export async function encryptResponse(text: string, bearer: string): Promise<string> {
  const key = await deriveKey(bearer, 'encrypt', PURPOSE);
  const iv = crypto.getRandomValues(new Uint8Array(IV_BYTES));
  const sealed = await crypto.subtle.encrypt({ name: 'AES-GCM', iv }, key, new TextEncoder().encode(text));
  return PREFIX + toBase64Url(iv) + toBase64Url(new Uint8Array(sealed));
}

/** The stored text, opened when it was sealed; null when this bearer cannot (its token was rotated meanwhile). */
export async function decryptResponse(stored: string, bearer: string): Promise<string | null> {
  if (!stored.startsWith(PREFIX)) return stored;
  const bytes = fromBase64Url(stored.slice(PREFIX.length));
  if (bytes === null) return null;
  const key = await deriveKey(bearer, 'encrypt', PURPOSE);
  try {
    const iv = bytes.slice(0, IV_BYTES);
    return new TextDecoder().decode(await crypto.subtle.decrypt({ name: 'AES-GCM', iv }, key, bytes.slice(IV_BYTES)));
  } catch {
    return null;
  }
}
