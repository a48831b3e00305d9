/** What a reader of a log may ask for, and how the text is sent. */
import { z } from 'zod';

export const FollowQuerySchema = z.object({
  /** `1`: the stream stays open until the end. */
  follow: z
    .enum(['0', '1'])
    .default('0')
    .transform((word) => word === '1'),
  offset: z.coerce.number().int().nonnegative().default(0),
});

/**
 * Untrusted bytes: shown as plain text, never executed or cached. Neither compressed on the way, as browsers ask for:
 * compression would hold back what a log that is followed has printed.
 */
export const LOG_HEADERS = {
  'content-type': 'text/plain; charset=utf-8',
  'x-content-type-options': 'nosniff',
  'content-security-policy': "default-src 'none'; sandbox",
  'cache-control': 'no-store, no-transform',
  'content-encoding': 'identity',
} as const;
