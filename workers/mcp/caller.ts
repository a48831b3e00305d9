/** Who calls a tool through MCP, and what the tool needs of the request. */
import type { Session } from '../../schema/contracts/tokens.ts';
import type { Edge, WritePlan } from '../db/plan.ts';

export interface McpCall {
  /** The tool's name in MCP. */
  tool: string;
  args: Record<string, unknown>;
  /** The JSON-RPC id, as JSON. */
  request_id: string;
  /** `_meta.operation_id`. */
  operation_id: string | null;
}

export interface Caller extends Edge {
  principal: Session;
  call: McpCall;
  /** The time now, which `now` is not any more after a wait (Unix milliseconds). */
  clock(): number;
  /** Commits what `decide` plans, as an audited write of that tool. */
  commit<T>(decide: () => Promise<WritePlan<T>>): Promise<T>;
  /** Reports to a client that asked for progress how the call is. */
  progress(text: string): Promise<void>;
}
