/** From what was written to what a tool takes: its name looked up in the tool table, its params by their contract. */
import type { BlockError } from '../../schema/contracts/instructions.ts';
import { firstIssueText } from '../../schema/contracts/issues.ts';
import type { ToolName } from '../../schema/contracts/tools.ts';
import { TOOLS, toolName } from '../../schema/contracts/tools.ts';
import type { ParsedInstruction, RawParams } from './parse.ts';

export interface NormalInstruction {
  block_index: number;
  index: number;
  target: string;
  tool: string;
  name: ToolName;
  params: Record<string, unknown>;
}

type ParamsOutcome = { ok: true; params: Record<string, unknown> } | { ok: false; message: string };

function asObject(name: ToolName, raw: RawParams): ParamsOutcome {
  switch (raw.kind) {
    case 'none':
      return { ok: true, params: {} };
    case 'json':
      return { ok: true, params: raw.value };
    case 'text': {
      const key = TOOLS[name].text_param;
      if (key === null) return { ok: false, message: `${name} takes a JSON object, not plain text` };
      return { ok: true, params: { [key]: raw.text } };
    }
    default:
      return raw satisfies never;
  }
}

/** The params of a tool by its contract, or what is wrong with them. */
export function checkParams(name: ToolName, params: unknown): ParamsOutcome {
  const checked = TOOLS[name].params.safeParse(params);
  if (checked.success) return { ok: true, params: checked.data };
  return { ok: false, message: firstIssueText(checked.error, 'params') };
}

/** Normalises each instruction by itself; one that cannot be becomes an error, the others go on. */
export function normalize(parsed: readonly ParsedInstruction[]): {
  instructions: NormalInstruction[];
  errors: BlockError[];
} {
  const instructions: NormalInstruction[] = [];
  const errors: BlockError[] = [];
  for (const { block_index, index, line, target, tool, params } of parsed) {
    const fail = (code: string, message: string) =>
      errors.push({ block_index, stage: 'normalize', code, message: message.slice(0, 500), line });
    const name = toolName(target, tool);
    if (!name) {
      fail('unknown_tool', `there is no tool ${target}::${tool}; conductor::describe lists them`);
      continue;
    }
    const object = asObject(name, params);
    const outcome = object.ok ? checkParams(name, object.params) : object;
    if (outcome.ok) instructions.push({ block_index, index, target, tool, name, params: outcome.params });
    else fail('invalid_params', outcome.message);
  }
  return { instructions, errors };
}
