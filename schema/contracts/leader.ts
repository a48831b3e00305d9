/** The leader lease: record, requests and responses of LeaderLease, over HTTP and over the channel. */
import { z } from 'zod';
import { LEASE } from '../defaults.ts';
import {
  ControllerIdSchema,
  DurationMsSchema,
  HostSchema,
  MetadataInputSchema,
  MetadataSchema,
  TimestampSchema,
} from './common.ts';

export const TermSchema = z.number().int().nonnegative();
export const TtlSecSchema = z.number().int().min(LEASE.ttl_min_sec).max(LEASE.ttl_max_sec);
export const PrioritySchema = z.number().int().min(0).max(1_000);

export const LeaseRecordSchema = z.object({
  lease_name: z.string(),
  holder_id: z.string().nullable(),
  holder_host: z.string().nullable(),
  holder_preferred: z.boolean().default(false),
  term: TermSchema,
  lease_expires_at: TimestampSchema,
  renewed_at: TimestampSchema,
  preferred_holder_id: z
    .string()
    .nullable()
    .describe('The preferred node that has asked for long enough: the holder has to yield to it.'),
  preferred_asker_id: z
    .string()
    .nullable()
    .describe('The preferred node that keeps asking, since when, and when it last asked.'),
  preferred_since: TimestampSchema.nullable(),
  preferred_seen_at: TimestampSchema.nullable(),
  reserved_for: z
    .string()
    .nullable()
    .describe(
      'Set when the holder has to yield. After its release only this node may acquire, until `reserved_until`.',
    ),
  reserved_until: TimestampSchema.nullable(),
  metadata: MetadataSchema,
});
export type LeaseRecord = z.infer<typeof LeaseRecordSchema>;

/** The lease as others see it. A lapsed lease has no holder. `expires_in_ms` is counted by the object's clock. */
export const LeaseViewSchema = z.object({
  lease_name: z.string(),
  holder_id: z.string().nullable(),
  holder_host: z.string().nullable(),
  holder_preferred: z
    .boolean()
    .default(false)
    .describe('A preferred node asks for the lease only while its holder is not preferred.'),
  term: TermSchema,
  lease_expires_at: TimestampSchema.nullable(),
  renewed_at: TimestampSchema.nullable(),
  expires_in_ms: DurationMsSchema,
  preferred_holder_id: z.string().nullable(),
  metadata: MetadataSchema,
});
export type LeaseView = z.infer<typeof LeaseViewSchema>;

export const LeaderAcquireBodySchema = z.strictObject({
  controller_id: ControllerIdSchema,
  host: HostSchema,
  ttl_sec: TtlSecSchema,
  preferred: z.boolean().optional(),
  priority: PrioritySchema.optional(),
  metadata: MetadataInputSchema.optional(),
});
export type LeaderAcquireBody = z.infer<typeof LeaderAcquireBodySchema>;

export const LEASE_OPERATIONS = ['acquire', 'renew'] as const;

export const LeaderAcquireResponseSchema = z.object({
  holder_id: z.string().nullable(),
  holder_host: z.string().nullable(),
  term: TermSchema,
  lease_expires_at: TimestampSchema.nullable(),
  renewed_at: TimestampSchema.nullable(),
  expires_in_ms: DurationMsSchema,
  is_leader: z.boolean(),
  operation: z.enum(LEASE_OPERATIONS),
  yield_to: z.string().nullable(),
  lease: LeaseViewSchema,
});
export type LeaderAcquireResponse = z.infer<typeof LeaderAcquireResponseSchema>;

export const LeaderReleaseBodySchema = z.strictObject({ controller_id: ControllerIdSchema, term: TermSchema });
export type LeaderReleaseBody = z.infer<typeof LeaderReleaseBodySchema>;
export const LeaderReleaseResponseSchema = z.object({ released: z.boolean(), lease: LeaseViewSchema });
export type LeaderReleaseResponse = z.infer<typeof LeaderReleaseResponseSchema>;

export const LeaderTermSchema = z.object({
  term: TermSchema,
  holder_id: z.string(),
  holder_host: z.string(),
  acquired_at: TimestampSchema,
});
export type LeaderTerm = z.infer<typeof LeaderTermSchema>;
