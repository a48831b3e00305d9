/** Grants: what a person approves ahead for one conversation, and how a node uses it. */
import { z } from 'zod';
import { GRANTS } from '../defaults.ts';
import { ControllerIdSchema, DurationMsSchema, idSchema, Sha256Schema, TimestampSchema } from './common.ts';

export const GrantIdSchema = idSchema('grant');

const ArgvSchema = z
  .array(z.string().max(GRANTS.max_chars))
  .min(1)
  .max(GRANTS.max_argv)
  .refine(
    (items) => items.reduce((chars, item) => chars + item.length, 0) <= GRANTS.max_chars,
    `at most ${GRANTS.max_chars} characters together`,
  );

/** The calls of `conductor::exec` that a grant covers (schema/domain/grant.ts). */
const COVERED = {
  /** The leading items of the argv, each exactly. */
  argv: ArgvSchema,
  /** How many more items may follow, none of which may begin with `-`. */
  further_items: z.number().int().min(0).max(GRANTS.max_further_items),
  /** The working folder, by its real path. */
  folder: z.string().max(4_096).regex(/^\//, 'an absolute path'),
} as const;

export const GrantCreateBodySchema = z.strictObject({
  local_conversation_id: idSchema('lc'),
  controller_id: ControllerIdSchema.optional().describe(
    'The node that has the folder. Without it the one that holds the newest message of the conversation.',
  ),
  ...COVERED,
  further_items: COVERED.further_items.default(0),
  max_uses: z.number().int().min(1).max(GRANTS.max_uses),
  expires_in_ms: DurationMsSchema.min(GRANTS.min_ms).max(GRANTS.max_ms),
});
export type GrantCreateBody = z.infer<typeof GrantCreateBodySchema>;

export const GrantSchema = z.object({
  grant_id: z.string(),
  local_conversation_id: z.string(),
  controller_id: z.string(),
  argv: z.array(z.string()),
  further_items: z.number().int(),
  folder: z.string(),
  uses: z.number().int(),
  max_uses: z.number().int(),
  created_by: z.string(),
  created_at: TimestampSchema,
  expires_at: TimestampSchema,
  revoked_by: z.string().nullable(),
  revoked_at: TimestampSchema.nullable(),
});
export type Grant = z.infer<typeof GrantSchema>;

/** A grant that may cover an instruction which asks. Its node judges whether it does. */
export const OfferedGrantSchema = z.object({
  grant_id: z.string(),
  approval_hash: Sha256Schema.describe('Of what the node has described.'),
  ...COVERED,
});
export type OfferedGrant = z.infer<typeof OfferedGrantSchema>;

/** `POST /v1/instructions/:id/use-grant`: the node has judged that the grant covers what it has described. */
export const GrantUseBodySchema = z.strictObject({
  controller_id: ControllerIdSchema,
  grant_id: GrantIdSchema,
  approval_hash: Sha256Schema,
});
export type GrantUseBody = z.infer<typeof GrantUseBodySchema>;
/** Why a grant did not let an instruction run; a person is asked then. */
export const GRANT_REFUSALS = [
  'unknown',
  'revoked',
  'expired',
  'used_up',
  'not_covered',
  'not_asked',
  'used_before',
  'gated',
] as const;
/** Once it is used, the node gets the approval like one of a person, as the command `approval.decided`. */
export const GrantUseResponseSchema = z.object({
  instruction_id: z.string(),
  used: z.boolean(),
  refusal: z.enum(GRANT_REFUSALS).nullable().describe('Null when it was used.'),
});
export type GrantUseResponse = z.infer<typeof GrantUseResponseSchema>;
