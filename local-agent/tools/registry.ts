/** The handlers of the tools that run on the host. A host tool in the tool table without a handler does not compile. */
import type { HostTool, ToolName, ToolParams } from '../../schema/contracts/tools.ts';
import { TOOLS } from '../../schema/contracts/tools.ts';
import { exec } from './exec.ts';
import { listFiles } from './files-list.ts';
import { patchFiles } from './files-patch.ts';
import { readFile } from './files-read.ts';
import { searchFiles } from './files-search.ts';
import { writeFile } from './files-write.ts';
import type { InstructionResult, ToolContext, ToolHandler, ToolOutcome } from './tool.ts';
import { failure, fitOutput } from './tool.ts';

const HANDLERS: { [N in HostTool]: ToolHandler<N> } = {
  'conductor::exec': exec,
  'conductor::files/read': readFile,
  'conductor::files/write': writeFile,
  'conductor::files/list': listFiles,
  'conductor::files/search': searchFiles,
  'conductor::files/patch': patchFiles,
};

export function isHostTool(name: ToolName): name is HostTool {
  return TOOLS[name].where === 'host';
}

/** Runs one host tool. Never throws: an error is a `failed` result. */
export async function runHostTool<N extends HostTool>(
  name: N,
  params: ToolParams<N>,
  context: ToolContext,
  monotonicNow: () => number,
): Promise<InstructionResult> {
  const startedAt = monotonicNow();
  let outcome: ToolOutcome;
  try {
    outcome = fitOutput(await HANDLERS[name](params, context));
  } catch (error) {
    outcome = failure('failed', 'internal', context.redact(error instanceof Error ? error.message : String(error)));
  }
  return { ...outcome, duration_ms: Math.max(0, Math.round(monotonicNow() - startedAt)) };
}
