/**
 * A stopped message that a person wants to run after all. The text is read anew, so that nothing runs that no assistant
 * wrote; each instruction is judged by the policy as it is now; and the edge is asked to claim them.
 */
import { z } from 'zod';
import { PlatformSchema } from '../../schema/contracts/common.ts';
import { TargetPayloadSchema } from '../../schema/contracts/conversations.ts';
import type { MessageClaimBody } from '../../schema/contracts/instructions.ts';
import { BlockErrorSchema } from '../../schema/contracts/instructions.ts';
import type { CommandOf } from '../edge/commands.ts';
import type { HostPolicy } from '../policy/host-policy.ts';
import type { Store } from '../store/store.ts';
import { conversationStream } from '../store/streams.ts';
import type { NormalInstruction } from './normalize.ts';
import { readMessage } from './read-message.ts';

const CallSchema = z.object({
  instruction_id: z.string(),
  index: z.number().int(),
  name: z.string(),
  params: z.record(z.string(), z.unknown()),
});
export type ResubmittedCall = z.infer<typeof CallSchema>;

/** What the handler of the claim's answer needs. */
export const ResubmissionSchema = z.object({
  message: z.object({
    message_id: z.string(),
    client_id: z.string(),
    platform: PlatformSchema,
    remote_conversation_id: z.string(),
    local_conversation_id: z.string(),
    target: TargetPayloadSchema,
    assistant_message_id: z.string().nullable(),
    block_errors: z.array(BlockErrorSchema),
  }),
  calls: z.array(CallSchema),
});

export interface ResubmissionDeps {
  store: Store;
  nodeId: string;
  hostPolicy: Pick<HostPolicy, 'judge' | 'approval'>;
}

type Resubmitted = CommandOf<'message.resubmit'>['body'];

/** Those of the wanted instructions that the text really holds. */
function foundAgain({ raw_text, instructions }: Resubmitted): { instructionId: string; found: NormalInstruction }[] {
  const written = readMessage(raw_text).instructions;
  return instructions.flatMap(({ instruction_id, index, target, tool }) => {
    const found = written.find((one) => one.index === index && one.target === target && one.tool === tool);
    return found ? [{ instructionId: instruction_id, found }] : [];
  });
}

/** Judges a resubmitted message and asks for its claim, inside the caller's transaction. */
export function resubmit({ store, nodeId, hostPolicy }: ResubmissionDeps, body: Resubmitted): void {
  const { raw_text: _text, instructions: _wanted, ...message } = body;
  const again = foundAgain(body);
  const judged = again.map(({ instructionId: instruction_id, found }): MessageClaimBody['instructions'][number] => {
    const policy = hostPolicy.judge(found, body.platform);
    return policy.decision === 'ask'
      ? { instruction_id, policy, approval: hostPolicy.approval(found) }
      : { instruction_id, policy };
  });
  const calls = again.map(({ instructionId: instruction_id, found: { index, name, params } }) => {
    return { instruction_id, index, name, params };
  });
  store.outbox.append({
    stream: conversationStream(body),
    kind: 'claim',
    method: 'POST',
    path: `/v1/messages/${body.message_id}/claim`,
    body: { controller_id: nodeId, instructions: judged } satisfies MessageClaimBody,
    context: { message, calls } satisfies z.input<typeof ResubmissionSchema>,
  });
}
