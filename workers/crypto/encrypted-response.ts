/**
 * Encrypts a stored response that carries a secret, with a key derived from the caller's own credential. A repeat of
 * the write with that credential decrypts it; a reader of the database cannot.
 */
import { BASE64URL } from './base64url.ts';
import { deriveKey } from './hash.ts';

const PREFIX = 'sealed:';
/** A multiple of three, so that the base64 of vector and ciphertext can be joined. */
const IV_BYTES = 12;
const PURPOSE = 'conductor stored answer';

export function encryptResponse(text: string, credential: string): Promise<string> {
  return encryptText(text, credential, PURPOSE);
}

/** The stored text, decrypted if need be; null when this credential cannot (the token was rotated meanwhile). */
export async function decryptResponse(stored: string, credential: string): Promise<string | null> {
  return stored.startsWith(PREFIX) ? decryptText(stored, credential, PURPOSE) : stored;
}

/** Encrypts with a key that is derived from `secret` for that purpose only. */
export async function encryptText(text: string, secret: string, purpose: string): Promise<string> {
  const key = await deriveKey(secret, 'encrypt', purpose);
  const iv = crypto.getRandomValues(new Uint8Array(IV_BYTES));
  const encrypted = await crypto.subtle.encrypt({ name: 'AES-GCM', iv }, key, new TextEncoder().encode(text));
  return PREFIX + iv.toBase64(BASE64URL) + new Uint8Array(encrypted).toBase64(BASE64URL);
}

/** Null when it was encrypted with another secret, or for another purpose. */
export async function decryptText(sealed: string, secret: string, purpose: string): Promise<string | null> {
  const key = await deriveKey(secret, 'encrypt', purpose);
  try {
    const bytes = Uint8Array.fromBase64(sealed.slice(PREFIX.length), BASE64URL);
    const iv = bytes.slice(0, IV_BYTES);
    return new TextDecoder().decode(await crypto.subtle.decrypt({ name: 'AES-GCM', iv }, key, bytes.slice(IV_BYTES)));
  } catch {
    return null;
  }
}
