/** Hashes by the browser's own Web Crypto. */

export function hexOf(bytes: ArrayBuffer): string {
  return [...new Uint8Array(bytes)].map((byte) => byte.toString(16).padStart(2, '0')).join('');
}

/** The bytes of a text that holds hex digits only. */
export function bytesOfHex(text: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(text.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
}

export async function sha256Hex(text: string): Promise<string> {
  return hexOf(await crypto.subtle.digest('SHA-256', new TextEncoder().encode(text)));
}

/** The same account gives the same fingerprint in this installation only, since the salt never leaves it. */
export async function accountFingerprint(salt: string, platform: string, account: string): Promise<string> {
  return (await sha256Hex(JSON.stringify([salt, platform, account]))).slice(0, 32);
}

export function randomHex(bytes: number): string {
  return hexOf(crypto.getRandomValues(new Uint8Array(bytes)).buffer);
}
