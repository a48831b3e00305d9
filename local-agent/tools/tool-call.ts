import { checkValue, firstIssueText } from '../../schema/contracts/issues.ts';
import type { ToolName } from '../../schema/contracts/tools.ts';
import { findTool, TOOLS } from '../../schema/contracts/tools.ts';

/** A call of a tool whose params fit the tool's contract. */
export interface ToolCall {
  name: ToolName;
  params: Record<string, unknown>;
}

export type ParsedCall =
  | { ok: true; call: ToolCall }
  | { ok: false; code: 'unknown_tool' | 'invalid_params'; message: string };

/**
 * Parses a call by the tool table. It is parsed once where it enters the agent (in a message, in a command of the edge),
 * and once when it is read from the store to be executed, since another version of the agent may have stored it.
 */
export function parseCall(name: string, params: unknown): ParsedCall {
  const tool = findTool(name);
  if (tool === null) {
    return { ok: false, code: 'unknown_tool', message: `there is no tool ${name}; conductor::describe lists them` };
  }
  const parsed = checkValue(TOOLS[tool].params, params);
  if (parsed.success) return { ok: true, call: { name: tool, params: parsed.data } };
  return { ok: false, code: 'invalid_params', message: firstIssueText(parsed.error, 'params') };
}
