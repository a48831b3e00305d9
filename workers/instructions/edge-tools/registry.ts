/** The tools that run at the edge, one handler each: a tool in the table without one does not compile. */
import type { EdgeTool, ToolParams } from '../../../schema/contracts/tools.ts';
import type { ConversationRow } from '../../../schema/tables/index.ts';
import type { Database } from '../../db/open.ts';
import type { Plan } from '../../db/plan.ts';
import { conversationMode } from './conversation-mode.ts';
import { describe } from './describe.ts';
import { status } from './status.ts';
import { systemDrain, systemPause, systemResume } from './system-mode.ts';

export interface EdgeToolContext {
  env: Env;
  db: Database;
  now: number;
  /** The conversation in which the instruction was found. */
  conversation: ConversationRow;
  /** Who asks, as a mode change records it. */
  requested_by: string;
}

/** What it answered, and what has to be stored or told with its result. It may run twice before that is stored. */
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

export const EDGE_TOOLS: { [N in EdgeTool]: EdgeToolHandler<N> } = {
  'conductor::describe': describe,
  'conductor::status': status,
  'conductor::system/pause': systemPause,
  'conductor::system/resume': systemResume,
  'conductor::system/drain': systemDrain,
  'conductor::conversation/mode': conversationMode,
};
