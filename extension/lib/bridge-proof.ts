/** Proofs of a bridge connection (`schema/domain/bridge-proof.ts`) by the browser's own Web Crypto. */
import type { BridgeHandshake, ProofPurpose } from '../../schema/domain/bridge-proof.ts';
import { bridgeProofText } from '../../schema/domain/bridge-proof.ts';
import { bytesOfHex, hexOf } from './hash.ts';

const { subtle } = crypto;
const HMAC = { name: 'HMAC', hash: 'SHA-256' } as const;
const IV_BYTES = 12;

const bytesOf = (text: string) => new TextEncoder().encode(text);

/** The key that the hash of the token is. */
async function keyOf(token: string): Promise<CryptoKey> {
  return subtle.importKey('raw', await subtle.digest('SHA-256', bytesOf(token)), HMAC, false, ['sign', 'verify']);
}

async function hmac(token: string, purpose: ProofPurpose, handshake: BridgeHandshake): Promise<ArrayBuffer> {
  return subtle.sign('HMAC', await keyOf(token), bytesOf(bridgeProofText(purpose, handshake)));
}

export async function proveBrowser(token: string, handshake: BridgeHandshake): Promise<string> {
  return hexOf(await hmac(token, 'browser', handshake));
}

export async function isProofOfAgent(token: string, handshake: BridgeHandshake, proof: string): Promise<boolean> {
  return subtle.verify('HMAC', await keyOf(token), bytesOfHex(proof), bytesOf(bridgeProofText('agent', handshake)));
}

/** The token, readable by that agent only: `iv | ciphertext | tag` in hex. */
export async function sealToken(token: string, handshake: BridgeHandshake): Promise<string> {
  const key = await subtle.importKey('raw', await hmac(token, 'seal', handshake), 'AES-GCM', false, ['encrypt']);
  const iv = crypto.getRandomValues(new Uint8Array(IV_BYTES));
  return hexOf(iv.buffer) + hexOf(await subtle.encrypt({ name: 'AES-GCM', iv }, key, bytesOf(token)));
}
