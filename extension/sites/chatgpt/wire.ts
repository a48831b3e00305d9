/** What ChatGPT's addresses, requests and responses say. */
import type { SiteWire } from '../site.ts';
import { addressOf, REQUEST_PATTERNS, roleOf } from './endpoints.ts';
import { readReading } from './reading.ts';
import { decoderOf } from './response.ts';
import { readSend } from './send.ts';

export const wire: SiteWire = {
  addressOf,
  requestPatterns: REQUEST_PATTERNS,
  headers: [],
  roleOf,
  readSend,
  decoder: decoderOf,
  confirmsByReading: false,
  readReading,
  // Long texts become an attachment only when they are pasted at once, and typing goes by parts.
  maxTextChars: null,
};
