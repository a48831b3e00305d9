/**
 * Proofs of a bridge connection (`schema/domain/bridge-proof.ts`), by the hash of the browser's token, which is all that the
 * agent stores of it. A sealed token is `iv | ciphertext | tag` in hex, by AES-256-GCM under a key of this connection only.
 */
import { createCipheriv, createDecipheriv, createHmac, randomBytes } from 'node:crypto';
import type { BridgeHandshake, ProofPurpose } from '../../schema/domain/bridge-proof.ts';
import { bridgeProofText } from '../../schema/domain/bridge-proof.ts';
import { sameDigest } from './secrets.ts';

const CIPHER = 'aes-256-gcm';
const IV_BYTES = 12;
const TAG_BYTES = 16;

/** 32 random bytes in hex. */
export function newNonce(): string {
  return randomBytes(32).toString('hex');
}

function hmac(tokenHash: string, purpose: ProofPurpose, handshake: BridgeHandshake): Buffer {
  return createHmac('sha256', Buffer.from(tokenHash, 'hex')).update(bridgeProofText(purpose, handshake)).digest();
}

export function prove(tokenHash: string, by: 'agent' | 'browser', handshake: BridgeHandshake): string {
  return hmac(tokenHash, by, handshake).toString('hex');
}

export function isProof(
  tokenHash: string,
  by: 'agent' | 'browser',
  handshake: BridgeHandshake,
  proof: string,
): boolean {
  return sameDigest(proof, prove(tokenHash, by, handshake));
}

export function sealToken(tokenHash: string, handshake: BridgeHandshake, token: string): string {
  const iv = randomBytes(IV_BYTES);
  const cipher = createCipheriv(CIPHER, hmac(tokenHash, 'seal', handshake), iv);
  return Buffer.concat([iv, cipher.update(token, 'utf8'), cipher.final(), cipher.getAuthTag()]).toString('hex');
}

/** The token; null when it was not sealed for this connection. */
export function unsealToken(tokenHash: string, handshake: BridgeHandshake, sealed: string): string | null {
  const bytes = Buffer.from(sealed, 'hex');
  if (bytes.length < IV_BYTES + TAG_BYTES) return null;
  const decipher = createDecipheriv(CIPHER, hmac(tokenHash, 'seal', handshake), bytes.subarray(0, IV_BYTES), {
    authTagLength: TAG_BYTES,
  });
  decipher.setAuthTag(bytes.subarray(-TAG_BYTES));
  try {
    const text = decipher.update(bytes.subarray(IV_BYTES, -TAG_BYTES));
    return Buffer.concat([text, decipher.final()]).toString('utf8');
  } catch {
    return null;
  }
}
