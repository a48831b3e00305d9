/** From what was written to what a tool takes: the name looked up in the tool table, the params by their contract. */
import type { BlockError } from '../../schema/contracts/instructions.ts';
import { callName, findTool, TOOLS } from '../../schema/contracts/tools.ts';
import type { ToolCall } from '../tools/tool-call.ts';
import { parseCall } from '../tools/tool-call.ts';
import type { ParsedInstruction, RawParams } from './parse.ts';

export interface NormalInstruction extends ToolCall {
  block_index: number;
  /** Position among all instructions of the message. */
  index: number;
  target: string;
  tool: string;
}

const MAX_MESSAGE_CHARS = 500;

/** The params as an object; null when they are plain text and the tool takes none. */
function toObject(name: string, raw: RawParams): Record<string, unknown> | null {
  switch (raw.kind) {
    case 'none':
      return {};
    case 'json':
      return raw.value;
    case 'text': {
      const tool = findTool(name);
      const key = tool && TOOLS[tool].text_param;
      return key ? { [key]: raw.text } : null;
    }
    default:
      return raw satisfies never;
  }
}

/** Normalises each instruction by itself: an invalid one becomes an error and the others are kept. */
export function normalize(parsed: readonly ParsedInstruction[]): {
  instructions: NormalInstruction[];
  errors: BlockError[];
} {
  const instructions: NormalInstruction[] = [];
  const errors: BlockError[] = [];
  for (const { block_index, index, line, target, tool, params } of parsed) {
    const addError = (code: string, message: string) =>
      errors.push({ block_index, stage: 'normalize', code, message: message.slice(0, MAX_MESSAGE_CHARS), line });
    const name = callName(target, tool);
    const object = toObject(name, params);
    const outcome = parseCall(name, object);
    if (outcome.ok) instructions.push({ block_index, index, target, tool, ...outcome.call });
    else if (object === null && outcome.code === 'invalid_params') {
      addError('invalid_params', `${name} takes a JSON object, not plain text`);
    } else addError(outcome.code, outcome.message);
  }
  return { instructions, errors };
}
