/** `conductor::describe`: the tool table, with the JSON Schema of each tool's parameters. */
import { z } from 'zod';
import { TOOL_NAMES, TOOLS } from '../../../schema/contracts/tools.ts';
import type { EdgeToolHandler } from './tool.ts';

export const describe: EdgeToolHandler<'conductor::describe'> = async () => {
  const tools = TOOL_NAMES.map((name) => {
    const { summary, where, control, text_param, timeout_ms, params } = TOOLS[name];
    return { name, summary, where, control, text_param, timeout_ms, params: z.toJSONSchema(params, { io: 'input' }) };
  });
  return { output: JSON.stringify({ tools }, null, 2) };
};
