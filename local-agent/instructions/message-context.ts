/**
 * What the handler of a response about a message needs of it: the message, and its calls by their position. It is stored
 * with the outbox row, so that the response can be handled after a restart.
 */
import { z } from 'zod';
import { CallSourceSchema } from '../../schema/contracts/common.ts';
import { TargetPayloadSchema } from '../../schema/contracts/conversations.ts';
import type { ClaimedInstruction, IngestBody } from '../../schema/contracts/instructions.ts';
import { BlockErrorSchema } from '../../schema/contracts/instructions.ts';
import { callName } from '../../schema/contracts/tools.ts';
import { targetPayload } from '../../schema/domain/links.ts';
import type { AskedAfter, NewExecution } from './execution-store.ts';
import { claimDeadline } from './execution-store.ts';

const CallSchema = z.object({
  index: z.number().int(),
  name: z.string(),
  params: z.record(z.string(), z.unknown()),
  /** The rule of the policy that judged it. */
  rule: z.string(),
  /** Of a call that asks a person at once: when it was described, so that what changes later is noticed. */
  asked: z.object({ asked_seq: z.number().int(), asked_at: z.number().int() }).optional(),
});
type StoredCall = z.infer<typeof CallSchema>;

export const MessageContextSchema = z.object({
  message: z.object({
    client_id: z.string(),
    platform: CallSourceSchema,
    remote_conversation_id: z.string(),
    target: TargetPayloadSchema,
    assistant_message_id: z.string().nullable(),
    block_errors: z.array(BlockErrorSchema),
  }),
  calls: z.array(CallSchema),
});
export type MessageContext = z.infer<typeof MessageContextSchema>;

/** The context of the request that observes a message. */
export function ingestContext(
  { client_id, link, instructions, ...body }: IngestBody,
  asked: AskedAfter,
): MessageContext {
  return {
    message: {
      client_id,
      platform: body.platform,
      remote_conversation_id: body.remote_conversation_id,
      target: targetPayload(client_id, link),
      assistant_message_id: body.assistant_message_id ?? null,
      block_errors: body.block_errors,
    },
    calls: instructions.map(({ index, target, tool, params, policy, approval }) => {
      const call = { index, name: callName(target, tool), params, rule: policy.rule };
      return approval === undefined ? call : { ...call, asked };
    }),
  };
}

/** The executions of the instructions in a response whose calls are known here. `now`: when the response arrived. */
export function newExecutions(
  messageId: string,
  calls: readonly StoredCall[],
  instructions: readonly ClaimedInstruction[],
  now: number,
): NewExecution[] {
  return instructions.flatMap(({ instruction_id, index, status, gate, claim_expires_in_ms }) => {
    const call = calls.find((one) => one.index === index);
    if (!call) return [];
    return {
      instruction_id,
      message_id: messageId,
      idx: index,
      name: call.name,
      params: call.params,
      status,
      // The edge names no gate for a denial by this node's policy.
      gate: gate ?? (status === 'denied' ? call.rule : null),
      claim_until: claimDeadline(now, claim_expires_in_ms),
      ...call.asked,
    };
  });
}
