/** From a final message to the request about it: its instructions are read and judged. */
import type { FinalMessage } from '../../schema/contracts/bridge-frames.ts';
import type { Approval, BlockError, IngestBody, InstructionInput } from '../../schema/contracts/instructions.ts';
import { HTTP } from '../../schema/defaults.ts';
import { fitToBody } from '../lib/fit-text.ts';
import { Turns } from '../lib/turns.ts';
import type { HostPolicy } from '../policy/host-policy.ts';
import { asksAtOnce } from './ask-in-turn.ts';
import type { AskedAfter } from './execution-store.ts';
import { capErrors } from './parse.ts';
import { readMessage } from './read-message.ts';

export interface IngestDeps {
  nodeId: string;
  hostPolicy: Pick<HostPolicy, 'judge' | 'approval'>;
}

const TOO_LARGE: BlockError = {
  block_index: 0,
  stage: 'extract',
  code: 'message_too_large',
  message: `the message and its instructions exceed ${HTTP.max_body_bytes} bytes; none was run`,
  line: 1,
};

/** Why a message is not sent to the edge; null when it is. */
export function reasonToIgnore(frame: FinalMessage): 'not_assistant' | 'no_conversation' | null {
  if (frame.role !== 'assistant') return 'not_assistant';
  return frame.conversation_id === null ? 'no_conversation' : null;
}

/** What takes time about a message, done before it is stored. */
export interface PreparedMessage {
  read: ReturnType<typeof readMessage>;
  /** What a person would approve, by the index of the instruction that asks at once; the others are described in their turn. */
  approvals: ReadonlyMap<number, Approval>;
  /** When it was described: what has changed since makes the approval void. */
  asked: AskedAfter;
}

/** Reads a message and describes what it asks for. A promise only when there is something to describe. */
export function prepareMessage(
  { raw_text, platform, conversation_id }: FinalMessage,
  hostPolicy: Pick<HostPolicy, 'judge' | 'approvalInTurns'>,
  asked: AskedAfter,
): PreparedMessage | Promise<PreparedMessage> {
  const read = readMessage(raw_text.toWellFormed());
  const none = { read, approvals: new Map(), asked };
  if (conversation_id === null) return none;
  const first = asksAtOnce(
    read.instructions.map((call) => ({ call, policy: hostPolicy.judge(call, { platform, conversation_id }) })),
  );
  if (first === undefined) return none;
  const { call } = first;
  return hostPolicy
    .approvalInTurns(call, new Turns())
    .then((approval) => ({ read, approvals: new Map([[call.index, approval]]), asked }));
}

/** The body of `POST /v1/messages`. A message too large for it is sent cut, without its instructions, as an error. */
export function buildIngestBody(
  frame: FinalMessage & { conversation_id: string },
  { nodeId, hostPolicy }: IngestDeps,
  prepared?: PreparedMessage,
): IngestBody {
  const text = frame.raw_text.toWellFormed();
  const { instructions: written, errors } = prepared?.read ?? readMessage(text);
  const judged = written.map((call) => {
    const { platform, conversation_id } = frame;
    return { call, policy: hostPolicy.judge(call, { platform, conversation_id }) };
  });
  const first = asksAtOnce(judged);
  const instructions = judged.map((one): InstructionInput => {
    const { block_index, index, target, tool, params } = one.call;
    const input = { block_index, index, target, tool, params, policy: one.policy };
    if (one !== first) return input;
    return { ...input, approval: prepared?.approvals.get(index) ?? hostPolicy.approval(one.call) };
  });
  const { platform, client_id, page_url, page_title, tab_id, shell_page, observed_at, account_fingerprint } = frame;
  const { answers_plan_id } = frame;
  const block_errors = capErrors(errors);
  const body: IngestBody = {
    controller_id: nodeId,
    client_id,
    platform,
    remote_conversation_id: frame.conversation_id,
    assistant_message_id: frame.assistant_message_id ?? null,
    raw_text: text,
    role: frame.role,
    observed_at,
    capture: frame.capture,
    ...(answers_plan_id !== undefined && { answers_plan_id }),
    link: {
      remote_conversation_id: frame.conversation_id,
      organization_id: frame.organization_id ?? null,
      page_url,
      page_title,
      tab_id,
      shell_page,
      observed_at,
      ...(account_fingerprint != null && { account_fingerprint }),
    },
    block_errors,
    instructions,
  };
  if (Buffer.byteLength(JSON.stringify(body)) <= HTTP.max_body_bytes) return body;
  const reported = instructions.length > 0 ? [TOO_LARGE] : block_errors;
  return { ...body, raw_text: fitToBody(text), instructions: [], block_errors: reported };
}
