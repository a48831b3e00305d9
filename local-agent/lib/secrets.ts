/** Compares secrets by their digests: in constant time, and independent of their lengths. */
import { createHash, timingSafeEqual } from 'node:crypto';

export function sha256Hex(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

/** Whether two SHA-256 digests in hex are equal. */
export function sameDigest(a: string, b: string): boolean {
  const left = Buffer.from(a, 'hex');
  const right = Buffer.from(b, 'hex');
  return left.length === right.length && timingSafeEqual(left, right);
}

export function sameSecret(a: string, b: string): boolean {
  return sameDigest(sha256Hex(a), sha256Hex(b));
}
