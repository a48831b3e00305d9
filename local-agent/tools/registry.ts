/** The host's tools: a row of the tool table that runs on the host and has no handler here does not compile. */
import type { HostTool, ToolName, ToolParams } from '../../schema/contracts/tools.ts';
import { TOOLS } from '../../schema/contracts/tools.ts';
import { exec } from './exec.ts';
import { listFiles } from './files-list.ts';
import { patchFiles } from './files-patch.ts';
import { readFile } from './files-read.ts';
import { searchFiles } from './files-search.ts';
import { writeFile } from './files-write.ts';
import type { InstructionResult, ToolContext, ToolHandler, ToolOutcome } from './tool.ts';
import { ended, fitOutput } from './tool.ts';

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

async function dispatch<N extends HostTool>(name: N, params: unknown, context: ToolContext): Promise<ToolOutcome> {
  const checked = TOOLS[name].params.safeParse(params);
  if (!checked.success) return ended('failed', 'invalid_params', 'the params do not fit the tool any more');
  return await HANDLERS[name](checked.data as ToolParams<N>, context);
}

/** Performs the effect of one instruction. Never throws: what goes wrong is a `failed` result. */
export async function runHostTool(
  name: HostTool,
  params: unknown,
  context: ToolContext,
  monotonicNow: () => number,
): Promise<InstructionResult> {
  const startedAt = monotonicNow();
  let outcome: ToolOutcome;
  try {
    outcome = fitOutput(await dispatch(name, params, context));
  } catch (error) {
    outcome = ended('failed', 'internal', context.redact(error instanceof Error ? error.message : String(error)));
  }
  return { ...outcome, duration_ms: Math.max(0, Math.round(monotonicNow() - startedAt)) };
}
