/** From a final message to the request about it: its instructions are read and judged. */
import type { FinalMessage } from '../../schema/contracts/bridge-frames.ts';
import type { BlockError, IngestBody, InstructionInput } from '../../schema/contracts/instructions.ts';
import { HTTP } from '../../schema/defaults.ts';
import { fitToBody } from '../lib/fit-text.ts';
import { Turns } from '../lib/turns.ts';
import type { HostPolicy } from '../policy/host-policy.ts';
import type { AskedAfter } from './execution-store.ts';
import type { NormalInstruction } from './normalize.ts';
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
  /** What a person would approve, by the index of the instruction. */
  approvals: ReadonlyMap<number, NonNullable<InstructionInput['approval']>>;
  /** When the approvals were described: what has changed since makes them void. */
  asked: AskedAfter;
}

/** Reads a message and describes what it asks for. A promise only when there is something to describe. */
export function prepareMessage(
  { raw_text, platform, conversation_id }: FinalMessage,
  hostPolicy: Pick<HostPolicy, 'judge' | 'approvalInTurns'>,
  asked: AskedAfter,
): PreparedMessage | Promise<PreparedMessage> {
  const read = readMessage(raw_text.toWellFormed());
  const isAsked = (one: NormalInstruction) =>
    conversation_id !== null && hostPolicy.judge(one, { platform, conversation_id }).decision === 'ask';
  const calls = read.instructions.filter(isAsked);
  if (calls.length === 0) return { read, approvals: new Map(), asked };
  return describe(calls, hostPolicy).then((approvals) => ({ read, approvals, asked }));
}

async function describe(
  calls: readonly NormalInstruction[],
  hostPolicy: Pick<HostPolicy, 'approvalInTurns'>,
): Promise<PreparedMessage['approvals']> {
  const turns = new Turns();
  const approvals = new Map<number, NonNullable<InstructionInput['approval']>>();
  for (const call of calls) approvals.set(call.index, await hostPolicy.approvalInTurns(call, turns));
  return approvals;
}

/** The body of `POST /v1/messages`. A message too large for it is sent cut, without its instructions, as an error. */
export function buildIngestBody(
  frame: FinalMessage & { conversation_id: string },
  { nodeId, hostPolicy }: IngestDeps,
  prepared?: PreparedMessage,
): IngestBody {
  const text = frame.raw_text.toWellFormed();
  const { instructions: written, errors } = prepared?.read ?? readMessage(text);
  const instructions = written.map((instruction): InstructionInput => {
    const { block_index, index, target, tool, params } = instruction;
    const { platform, conversation_id } = frame;
    const policy = hostPolicy.judge(instruction, { platform, conversation_id });
    const input = { block_index, index, target, tool, params, policy };
    if (policy.decision !== 'ask') return input;
    return { ...input, approval: prepared?.approvals.get(index) ?? hostPolicy.approval(instruction) };
  });
  const { platform, client_id, page_url, page_title, tab_id, shell_page, observed_at, account_fingerprint } = frame;
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
