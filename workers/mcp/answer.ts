/** What a tool answers in MCP: one JSON object, as structured content and as text. */
import { AppError } from '../../schema/errors.ts';

export interface ToolAnswer {
  data: Record<string, unknown>;
  isError: boolean;
}

export function success(data: Record<string, unknown>): ToolAnswer {
  return { data, isError: false };
}

/** An expected failure, with the code and the words of the HTTP API. */
export function failure({ code, message, details }: AppError): ToolAnswer {
  return { data: { error: code, message, ...(Object.keys(details).length > 0 && { details }) }, isError: true };
}

/** `run`, with an expected failure as its answer. */
export async function answered(run: () => Promise<ToolAnswer>): Promise<ToolAnswer> {
  try {
    return await run();
  } catch (error) {
    if (error instanceof AppError) return failure(error);
    throw error;
  }
}
