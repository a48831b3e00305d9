/** The types of a tool that runs at the edge. */
import type { EdgeTool, ToolParams } from '../../../schema/contracts/tools.ts';
import type { ConversationRow } from '../../../schema/tables/index.ts';
import type { Edge, Plan } from '../../db/plan.ts';

export interface EdgeToolContext extends Edge {
  /** The conversation in which the instruction was found. */
  conversation: ConversationRow;
  /** The caller, as a mode change records it. */
  requested_by: string;
}

/** The tool's output and its effects. A tool may run twice before its result is stored. */
export interface EdgeToolOutcome {
  output: string;
  conversation?: ConversationRow;
  /** Stored and announced together with the instruction's result. */
  plan?: Plan;
}

export type EdgeToolHandler<N extends EdgeTool> = (
  params: ToolParams<N>,
  context: EdgeToolContext,
) => Promise<EdgeToolOutcome>;
