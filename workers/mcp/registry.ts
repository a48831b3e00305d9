/** All tools of MCP by name, and what a caller sees of them. */
import { z } from 'zod';
import type { Role } from '../../schema/contracts/tokens.ts';
import { paramsText } from '../instructions/edge-tools/describe.ts';
import { success } from './answer.ts';
import { EDGE_TOOLS } from './edge-tools.ts';
import { NODE_TOOLS } from './node-tools.ts';
import { OPERATOR_TOOLS } from './operator-tools.ts';
import type { McpTool } from './tool.ts';
import { mcpTool, READS } from './tool.ts';

export const MCP_TOOLS: Readonly<Record<string, McpTool>> = {
  describe: mcpTool(
    {
      ...READS,
      description: 'Lists the tools with their parameters.',
      params: z.strictObject({}),
    },
    async ({ principal }) => success({ tools: toolLines(principal.role) }),
  ),
  ...EDGE_TOOLS,
  ...NODE_TOOLS,
  ...OPERATOR_TOOLS,
};

export function findMcpTool(name: string): McpTool | null {
  return Object.hasOwn(MCP_TOOLS, name) ? (MCP_TOOLS[name] ?? null) : null;
}

export function mayCall({ for_readers }: McpTool, role: Role): boolean {
  return for_readers || role !== 'readonly';
}

/** The tools that the role may call, as `tools/list` has them. */
export function listedTools(role: Role) {
  return toolsOf(role).map(([name, tool]) => ({
    name,
    description: tool.description,
    inputSchema: { ...tool.inputSchema(), type: 'object' as const },
    annotations: {
      readOnlyHint: tool.read_only,
      ...(tool.read_only ? {} : { destructiveHint: tool.destructive }),
    },
  }));
}

/** A line for each tool. */
export function toolLines(role: Role): string[] {
  return toolsOf(role).map(([name, tool]) => `${name}${paramsText(tool.inputSchema())} - ${tool.description}`);
}

function toolsOf(role: Role): [string, McpTool][] {
  return Object.entries(MCP_TOOLS).filter(([, tool]) => mayCall(tool, role));
}
