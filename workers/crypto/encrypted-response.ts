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

export async function encryptResponse(text: string, credential: string): Promise<string> {
  const key = await deriveKey(credential, 'encrypt', PURPOSE);
  const iv = crypto.getRandomValues(new Uint8Array(IV_BYTES));
  const encrypted = await crypto.subtle.encrypt({ name: 'AES-GCM', iv }, key, new TextEncoder().encode(text));
  return PREFIX + iv.toBase64(BASE64URL) + new Uint8Array(encrypted).toBase64(BASE64URL);
}

/** The stored text, decrypted if need be; null when this credential cannot (the token was rotated meanwhile). */
export async function decryptResponse(stored: string, credential: string): Promise<string | null> {
  if (!stored.startsWith(PREFIX)) return stored;
  const key = await deriveKey(credential, 'encrypt', PURPOSE);
  try {
    const bytes = Uint8Array.fromBase64(stored.slice(PREFIX.length), BASE64URL);
    const iv = bytes.slice(0, IV_BYTES);
    return new TextDecoder().decode(await crypto.subtle.decrypt({ name: 'AES-GCM', iv }, key, bytes.slice(IV_BYTES)));
  } catch {
    return null;
  }
}
