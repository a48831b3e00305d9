/** What all contracts share: ids, times, platforms, the envelope, paging. */
import { z } from 'zod';
import { HTTP } from '../defaults.ts';
import type { AppError } from '../errors.ts';
import { ERROR_CODES } from '../errors.ts';

/** Unix milliseconds. */
export const TimestampSchema = z.number().int().nonnegative();
/** A span of time in milliseconds. */
export const DurationMsSchema = z.number().int().nonnegative();
export const ControllerIdSchema = z
  .string()
  .regex(/^[a-z0-9][a-z0-9._-]{0,63}$/i, 'letters, digits, dot, dash, underscore; at most 64');
/** A hash of an account that is signed in to a platform; the account itself is never sent. */
export const AccountFingerprintSchema = z.string().max(128);
export const ClientIdSchema = z
  .string()
  .regex(/^[A-Za-z0-9][A-Za-z0-9._:-]{0,127}$/, 'letters, digits, dot, colon, dash, underscore; at most 128');
export const HostSchema = z.string().trim().min(1).max(255);
export const ReasonSchema = z.string().max(500);
/** What a caller says about itself in its own words, as it is stored. */
export const MetadataSchema = z.record(z.string(), z.unknown());
const METADATA_MAX_CHARS = 4_096;
/** The same as it is sent: every heartbeat stores it again, and every status shows it, so it is short. */
export const MetadataInputSchema = z
  .record(z.string().max(64), z.unknown())
  .refine(
    (metadata) => JSON.stringify(metadata).length <= METADATA_MAX_CHARS,
    `at most ${METADATA_MAX_CHARS} characters as JSON`,
  );
export const Sha256Schema = z.string().regex(/^[0-9a-f]{64}$/, 'a SHA-256 in lower-case hex');

/**
 * The chat platforms. Everything that lists them derives from this table: enums of contracts and columns, the tools
 * `browser.<platform>::…`, and the pages that a browser opens. `conversation_url` is followed by a conversation's id.
 */
export const PLATFORMS = {
  chatgpt: { home_url: 'https://chatgpt.com/', conversation_url: 'https://chatgpt.com/c/' },
  claude: { home_url: 'https://claude.ai/new', conversation_url: 'https://claude.ai/chat/' },
  gemini: { home_url: 'https://gemini.google.com/app', conversation_url: 'https://gemini.google.com/app/' },
} as const satisfies Record<string, { home_url: string; conversation_url: string }>;
export type Platform = keyof typeof PLATFORMS;
export const PLATFORM_IDS = Object.keys(PLATFORMS) as [Platform, ...Platform[]];
export const PlatformSchema = z.enum(PLATFORM_IDS);
/** Where a call comes from: a chat of that platform, or a client of the Model Context Protocol. */
export const CallSourceSchema = z.enum([...PLATFORM_IDS, 'mcp']);
export type CallSource = z.infer<typeof CallSourceSchema>;

/** The columns of a row that hold no JSON any more, and are shown empty; absent while all can be read. */
export const UnreadableSchema = z.array(z.string()).optional();

/** An id of `newId` with this prefix. */
export function idSchema(prefix: string) {
  return z.string().regex(new RegExp(`^${prefix}_[0-9a-z]{26}$`), `an id of the form ${prefix}_…`);
}

export const PageQuerySchema = z.object({
  limit: z.coerce.number().int().min(1).max(HTTP.list_limit_max).default(HTTP.list_limit),
  cursor: z.string().max(200).optional(),
});

export function pageOf<T extends z.ZodType>(item: T) {
  return z.object({ items: z.array(item), next_cursor: z.string().nullable() });
}

/** The longest id that a caller may give its request. */
export const REQUEST_ID_MAX_CHARS = 128;

export const ErrorBodySchema = z.object({
  ok: z.literal(false),
  request_id: z.string(),
  error: z.enum(ERROR_CODES),
  message: z.string(),
  details: z.record(z.string(), z.unknown()),
});
export type ErrorBody = z.infer<typeof ErrorBodySchema>;

/** The body of a response that reports that error. */
export function errorBody({ code, message, details }: AppError, requestId: string): ErrorBody {
  return { ok: false, request_id: requestId, error: code, message, details };
}

export function envelopeOf<T extends z.ZodType>(data: T) {
  return z.object({ ok: z.literal(true), request_id: z.string(), data });
}

/**
 * Grows with each version whose programs need more of a response than the version before sent. They say then that the
 * edge is older than they are, instead of naming a field.
 */
export const API_LEVEL = 2;

/** Identifies one process of an agent, from its start to its end. */
export const BootIdSchema = z.string().min(1).max(64);

/** The headers of this API. */
export const HEADER = {
  request_id: 'x-request-id',
  age_ms: 'x-baa-age-ms',
  idempotency_key: 'idempotency-key',
  /** Of a response to a node's write: place and hash of the newest block of its journal, `<seq>:<hash>`. */
  journal_head: 'x-baa-journal-head',
  /** Of every response: `API_LEVEL` of the edge. */
  api_level: 'x-baa-api-level',
  /** The boot of the agent that calls, and the one before it; an older agent sends neither. */
  boot_id: 'x-baa-boot-id',
  previous_boot_id: 'x-baa-previous-boot-id',
  /** Inside the edge only: the node that an upgrade request was authenticated for. */
  controller_id: 'x-baa-controller-id',
  /** Inside the edge only: when its token expires (Unix milliseconds); absent when it does not. */
  token_expires_at: 'x-baa-token-expires-at',
} as const;
