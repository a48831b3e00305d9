/** Digests and derived keys, by the platform's own crypto. */
const encoder = new TextEncoder();

export function sha256(content: string | Uint8Array<ArrayBuffer>): Promise<ArrayBuffer> {
  return crypto.subtle.digest('SHA-256', typeof content === 'string' ? encoder.encode(content) : content);
}

export async function sha256Hex(content: string | Uint8Array<ArrayBuffer>): Promise<string> {
  return new Uint8Array(await sha256(content)).toHex();
}

type KeyKind = 'sign' | 'encrypt';
const KINDS = {
  sign: { algorithm: { name: 'HMAC', hash: 'SHA-256', length: 256 }, usages: ['sign', 'verify'] },
  encrypt: { algorithm: { name: 'AES-GCM', length: 256 }, usages: ['encrypt', 'decrypt'] },
} as const;

/** Derives a key by HKDF that is bound to one purpose. Neither the secret nor another purpose's key follows from it. */
export async function deriveKey(secret: string, kind: KeyKind, purpose: string): Promise<CryptoKey> {
  const { algorithm, usages } = KINDS[kind];
  const material = await crypto.subtle.importKey('raw', encoder.encode(secret), 'HKDF', false, ['deriveKey']);
  const hkdf = { name: 'HKDF', hash: 'SHA-256', salt: new Uint8Array(), info: encoder.encode(purpose) };
  return crypto.subtle.deriveKey(hkdf, material, algorithm, false, [...usages]);
}
