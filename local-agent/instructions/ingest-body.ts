/** From a final message to what the edge is asked: extract, parse, normalise, judge. Pure but for what it is given. */
import type { FinalMessage } from '../../schema/contracts/bridge-frames.ts';
import type { IngestBody, InstructionInput, PolicyVerdict } from '../../schema/contracts/instructions.ts';
import { HTTP } from '../../schema/defaults.ts';
import { fitToBody } from '../lib/fit-text.ts';
import type { NormalInstruction } from './normalize.ts';
import { capErrors } from './parse.ts';
import { readMessage } from './read-message.ts';

export interface ObserveDeps {
  nodeId: string;
  judge: (instruction: NormalInstruction, platform: FinalMessage['platform']) => PolicyVerdict;
  /** What a person would be asked; called for instructions that are judged `ask`. */
  approval: (instruction: NormalInstruction) => NonNullable<InstructionInput['approval']>;
}

/** Why a message is not told to the edge; null when it is. */
export function reasonToIgnore(frame: FinalMessage): 'not_assistant' | 'no_conversation' | null {
  if (frame.role !== 'assistant') return 'not_assistant';
  return frame.conversation_id === null ? 'no_conversation' : null;
}

/** The body of `POST /v1/messages`. A message too large for it is told without its instructions, as an error. */
export function ingestBody(frame: FinalMessage & { conversation_id: string }, deps: ObserveDeps): IngestBody {
  const text = frame.raw_text.toWellFormed();
  const { instructions: written, errors } = readMessage(text);
  const instructions = written.map((instruction): InstructionInput => {
    const { block_index, index, target, tool, params } = instruction;
    const policy = deps.judge(instruction, frame.platform);
    const input = { block_index, index, target, tool, params, policy };
    return policy.decision === 'ask' ? { ...input, approval: deps.approval(instruction) } : input;
  });
  const { platform, client_id, organization_id, page_url, page_title, tab_id, shell_page, observed_at } = frame;
  const body: IngestBody = {
    controller_id: deps.nodeId,
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
      organization_id: organization_id ?? null,
      page_url,
      page_title,
      tab_id,
      shell_page,
      observed_at,
    },
    block_errors: capErrors(errors),
    instructions,
  };
  if (Buffer.byteLength(JSON.stringify(body)) <= HTTP.max_body_bytes) return body;
  const message = `the message and its instructions exceed ${HTTP.max_body_bytes} bytes; none was run`;
  const tooLarge = { block_index: 0, stage: 'extract', code: 'message_too_large', message, line: 1 } as const;
  const errorsOfIt = instructions.length > 0 ? [tooLarge] : capErrors(errors);
  return { ...body, raw_text: fitToBody(text), instructions: [], block_errors: errorsOfIt };
}
