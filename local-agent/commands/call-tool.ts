/** One call of a tool through the edge's MCP endpoint: its answer, and what is reported while it is under way. */
import type { JSONRPCMessage } from '@modelcontextprotocol/server';
import { z } from 'zod';
import { EdgeError } from '../edge/http-client.ts';
import { EDGE_FAILED, McpBridge } from './mcp-bridge.ts';

/** What a tool answers (docs/mcp.md). A call that a node runs has an instruction; one of the edge has fields of its own. */
export const ToolAnswerSchema = z.looseObject({
  instruction_id: z.string().optional(),
  status: z.string().optional(),
  node: z.string().optional(),
  error: z.string().optional(),
  message: z.string().optional(),
  output: z.string().optional(),
  output_chars: z.number().int().optional(),
  next_offset: z.number().int().optional(),
  exit_code: z.number().int().nullish(),
  duration_ms: z.number().nullish(),
});
export type ToolAnswer = z.infer<typeof ToolAnswerSchema>;

const ResultSchema = z.looseObject({ structuredContent: ToolAnswerSchema, isError: z.boolean().default(false) });
const FailureSchema = z.looseObject({ code: z.number(), message: z.string() });
const ProgressSchema = z.looseObject({ params: z.looseObject({ message: z.string() }) });

export interface ToolCallSpec {
  edge: { url: string; token: string };
  tool: string;
  args: Record<string, unknown>;
  /** Names the call: the same one again has the same effect and answer. */
  operationId: string;
  onProgress?: (text: string) => void;
}

/** Resolves with the answer, also one that says that the call failed. @throws EdgeError */
export async function callTool(spec: ToolCallSpec): Promise<{ answer: ToolAnswer; failed: boolean }> {
  const { edge, tool, args, operationId, onProgress } = spec;
  let received: JSONRPCMessage | null = null;
  const bridge = new McpBridge({
    url: new URL('/mcp', edge.url),
    token: edge.token,
    warn: () => undefined,
    send: async (message) => {
      if (!('method' in message)) received = message;
      else if (message.method === 'notifications/progress') {
        const progress = ProgressSchema.safeParse(message);
        if (progress.success) onProgress?.(progress.data.params.message);
      }
    },
  });
  const _meta = { operation_id: operationId, progressToken: operationId };
  await bridge.forward({
    jsonrpc: '2.0',
    id: operationId,
    method: 'tools/call',
    params: { name: tool, arguments: args, _meta },
  });
  return answerOf(received);
}

function answerOf(message: JSONRPCMessage | null): { answer: ToolAnswer; failed: boolean } {
  if (message !== null && 'result' in message) {
    const { structuredContent, isError } = ResultSchema.parse(message.result);
    return { answer: structuredContent, failed: isError };
  }
  const failure = FailureSchema.safeParse(message !== null && 'error' in message ? message.error : null);
  if (!failure.success) throw new EdgeError('network', 0, 'network', 'the edge sent no answer to the call');
  const { code, message: why } = failure.data;
  if (code === EDGE_FAILED) throw new EdgeError('network', 0, 'network', why);
  throw new EdgeError('status', 400, 'invalid_request', why);
}
