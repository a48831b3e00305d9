/** What a tool that runs at the edge is: an async function of its parameters and the conversation that asks. */

import type { EdgeTool, ToolParams } from '../../../schema/contracts/tools.ts';
import type { ConversationRow } from '../../../schema/tables/index.ts';
import type { Edge, Plan } from '../../db/plan.ts';
import type { MessageOrigin } from '../load.ts';

export interface EdgeToolContext extends Edge {
  /** The conversation in which the instruction was found. */
  conversation: ConversationRow;
  /** What asks: that conversation, or a call through MCP, which has none. */
  asked_by: MessageOrigin;
  instruction_id: string;
  /** The node of the instruction. */
  controller_id: string;
  /** Who asks, as a mode change records it. */
  requested_by: string;
  /** A person has approved the call. */
  approved: boolean;
}

/** A tool may run twice before its outcome is stored. */
export interface EdgeToolOutcome {
  output: string;
  /** Why the tool failed; `output` says it in words. */
  error_code?: string;
  /** Why it was not done: `output` explains it. */
  denied?: 'held_by_a_person';
  /** The conversation after the change that the tool makes of it. */
  conversation?: ConversationRow;
  /** Stored and announced together with the instruction's result. */
  plan?: Plan;
}

export type EdgeToolHandler<N extends EdgeTool> = (
  params: ToolParams<N>,
  context: EdgeToolContext,
) => Promise<EdgeToolOutcome>;
