/** Compares secrets by their digests: in constant time, and independent of their lengths. */
import { timingSafeEqual } from 'node:crypto';
import { sha256Hex } from './hash.ts';

/** Whether two SHA-256 digests in hex are equal. */
export function sameDigest(a: string, b: string): boolean {
  const left = Buffer.from(a, 'hex');
  const right = Buffer.from(b, 'hex');
  return left.length === right.length && timingSafeEqual(left, right);
}

export function sameSecret(a: string, b: string): boolean {
  return sameDigest(sha256Hex(a), sha256Hex(b));
}
