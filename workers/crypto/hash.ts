/** Digests and keys, by the platform's own crypto. */
const encoder = new TextEncoder();

export function sha256(text: string): Promise<ArrayBuffer> {
  return crypto.subtle.digest('SHA-256', encoder.encode(text));
}

export async function sha256Hex(text: string): Promise<string> {
  return toHex(await sha256(text));
}

export function toHex(bytes: ArrayBuffer): string {
  return Array.from(new Uint8Array(bytes), (byte) => byte.toString(16).padStart(2, '0')).join('');
}

type KeyKind = 'sign' | 'encrypt';
const KINDS = {
  sign: { algorithm: { name: 'HMAC', hash: 'SHA-256', length: 256 }, usages: ['sign', 'verify'] },
  encrypt: { algorithm: { name: 'AES-GCM', length: 256 }, usages: ['encrypt', 'decrypt'] },
} as const;

/** A key for one purpose out of a secret; the keys of two purposes tell nothing about each other or the secret. */
export async function deriveKey(secret: string, kind: KeyKind, purpose: string): Promise<CryptoKey> {
  const { algorithm, usages } = KINDS[kind];
  const material = await crypto.subtle.importKey('raw', encoder.encode(secret), 'HKDF', false, ['deriveKey']);
  const hkdf = { name: 'HKDF', hash: 'SHA-256', salt: new Uint8Array(), info: encoder.encode(purpose) };
  return crypto.subtle.deriveKey(hkdf, material, algorithm, false, [...usages]);
}
