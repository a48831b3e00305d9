/**
 * A call through MCP that the edge gives to this node. The policy in force judges it, then the edge is asked to claim it;
 * from the claim on it is an instruction like those of chats, and its result is read at the edge.
 */
import type { z } from 'zod';
import type { MessageClaimBody } from '../../schema/contracts/instructions.ts';
import { findTool } from '../../schema/contracts/tools.ts';
import { targetPayload } from '../../schema/domain/links.ts';
import type { CommandOf, CommandOutcome } from '../edge/commands.ts';
import { conversationStream } from '../store/streams.ts';
import { parseCall } from '../tools/tool-call.ts';
import type { ClaimContextSchema, ResubmissionDeps } from './resubmission.ts';

type McpCall = Extract<CommandOf<'instruction'>['body'], { requested_by: 'mcp' }>;

/** Judges the call and asks the edge to claim it, inside the caller's transaction. Refuses a call that this version does not know. */
export function takeMcpCall({ store, nodeId, hostPolicy, askedNow }: ResubmissionDeps, body: McpCall): CommandOutcome {
  const { message_id, instruction_id, local_conversation_id, name, params } = body;
  if (findTool(name) === null) return { accepted: false, code: 'unknown_tool' };
  const parsed = parseCall(name, params);
  if (!parsed.ok) return { accepted: false, code: parsed.code };
  const { call } = parsed;
  // Each call is a conversation of its own, so calls run side by side.
  const source = { platform: 'mcp', remote_conversation_id: message_id } as const;
  const policy = hostPolicy.judge(call, { platform: source.platform, conversation_id: message_id });
  const isAsked = policy.decision === 'ask';
  const asked = askedNow();
  const approval = isAsked ? { approval: hostPolicy.approval(call) } : {};
  const claim: MessageClaimBody = { controller_id: nodeId, instructions: [{ instruction_id, policy, ...approval }] };
  const context: z.input<typeof ClaimContextSchema> = {
    message: {
      ...source,
      client_id: '',
      local_conversation_id,
      target: targetPayload('', { remote_conversation_id: message_id, page_url: '' }),
      assistant_message_id: null,
      block_errors: [],
    },
    calls: [{ index: 0, name, params, rule: policy.rule, ...(isAsked && { asked }) }],
  };
  store.outbox.append({
    stream: conversationStream(source),
    kind: 'claim',
    method: 'POST',
    path: `/v1/messages/${message_id}/claim`,
    body: claim,
    context,
  });
  return { accepted: true };
}
