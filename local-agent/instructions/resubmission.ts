/**
 * A stopped message that a person wants to run after all. Its text is read again, so that nothing runs that the assistant
 * did not write; each instruction is judged by the policy in force; then the edge is asked to claim them.
 */
import type { z } from 'zod';
import type { MessageClaimBody } from '../../schema/contracts/instructions.ts';
import type { CommandOf } from '../edge/commands.ts';
import type { HostPolicy } from '../policy/host-policy.ts';
import type { Store } from '../store/store.ts';
import { conversationStream } from '../store/streams.ts';
import { asksAtOnce } from './ask-in-turn.ts';
import type { AskedAfter } from './execution-store.ts';
import { MessageContextSchema } from './message-context.ts';
import type { NormalInstruction } from './normalize.ts';
import { readMessage } from './read-message.ts';

/** The context of the request to claim. */
export const ClaimContextSchema = MessageContextSchema.extend({
  message: MessageContextSchema.shape.message.extend({
    local_conversation_id: MessageContextSchema.shape.message.shape.remote_conversation_id,
  }),
});

export interface ResubmissionDeps {
  store: Store;
  nodeId: string;
  hostPolicy: Pick<HostPolicy, 'judge' | 'approval'>;
  /** What has ended on this node, and its time, when a question is asked. */
  askedNow: () => AskedAfter;
}

type Resubmitted = CommandOf<'message.resubmit'>['body'];

/** Those of the requested instructions that the text contains. */
function findAgain({ raw_text, instructions }: Resubmitted): { instruction_id: string; call: NormalInstruction }[] {
  const written = readMessage(raw_text).instructions;
  return instructions.flatMap(({ instruction_id, index, target, tool }) => {
    const call = written.find((one) => one.index === index && one.target === target && one.tool === tool);
    return call ? [{ instruction_id, call }] : [];
  });
}

/** Judges a resubmitted message and asks the edge to claim it, inside the caller's transaction. */
export function resubmit({ store, nodeId, hostPolicy, askedNow }: ResubmissionDeps, body: Resubmitted): void {
  const asked = askedNow();
  const judged = findAgain(body).map(({ instruction_id, call }) => {
    const from = { platform: body.platform, conversation_id: body.remote_conversation_id };
    return { instruction_id, call, policy: hostPolicy.judge(call, from) };
  });
  const first = asksAtOnce(judged);
  const { client_id, platform, remote_conversation_id, local_conversation_id, target } = body;
  const { assistant_message_id, block_errors } = body;
  const claim: MessageClaimBody = {
    controller_id: nodeId,
    instructions: judged.map((one) => ({
      instruction_id: one.instruction_id,
      policy: one.policy,
      ...(one === first ? { approval: hostPolicy.approval(one.call) } : {}),
    })),
  };
  const context: z.input<typeof ClaimContextSchema> = {
    message: {
      client_id,
      platform,
      remote_conversation_id,
      local_conversation_id,
      target,
      assistant_message_id,
      block_errors,
    },
    calls: judged.map((one) => {
      const { index, name, params } = one.call;
      return { index, name, params, rule: one.policy.rule, ...(one === first && { asked }) };
    }),
  };
  store.outbox.append({
    stream: conversationStream(body),
    kind: 'claim',
    method: 'POST',
    path: `/v1/messages/${body.message_id}/claim`,
    body: claim,
    context,
  });
}
