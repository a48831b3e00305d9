/** A tool of MCP: what is listed of it, and how it answers a call. */
import { z } from 'zod';
import { parse } from '../http/parse.ts';
import type { ToolAnswer } from './answer.ts';
import type { Caller } from './caller.ts';

export interface McpTool {
  description: string;
  /** It changes nothing, neither here nor on a host. */
  read_only: boolean;
  /** The role `readonly` may call it, as the route of the HTTP API that shows the same. */
  for_readers: boolean;
  /** What it does may replace or end something. */
  destructive: boolean;
  inputSchema(): Record<string, unknown>;
  /** Throws AppError for arguments that do not fit, and for what the HTTP API refuses. */
  run(caller: Caller, args: Record<string, unknown>): Promise<ToolAnswer>;
}

/** Flags of a tool that changes nothing, and that every reader may call. */
export const READS = { read_only: true, for_readers: true } as const;

type Flags = Partial<Pick<McpTool, 'read_only' | 'for_readers' | 'destructive'>>;

/** A tool whose arguments fit `params`. */
export function mcpTool<P extends z.ZodType>(
  spec: Flags & { description: string; params: P },
  run: (caller: Caller, params: z.output<P>) => Promise<ToolAnswer>,
): McpTool {
  const { params, description, read_only = false, for_readers = false, destructive = false } = spec;
  return {
    description,
    read_only,
    for_readers,
    destructive,
    inputSchema: () => jsonSchema(params),
    run: async (caller, args) => run(caller, parse(params, args, 'arguments') as z.output<P>),
  };
}

/** Made once for each contract: it takes a good part of the time that a request has. */
const schemas = new WeakMap<z.ZodType, Record<string, unknown>>();

/** A contract as JSON Schema. Every tool takes an object. */
export function jsonSchema(params: z.ZodType): Record<string, unknown> {
  const known = schemas.get(params);
  if (known !== undefined) return known;
  const { $schema: _draft, ...schema } = z.toJSONSchema(params, { io: 'input', unrepresentable: 'any' });
  const made = { ...schema, type: 'object' };
  schemas.set(params, made);
  return made;
}
