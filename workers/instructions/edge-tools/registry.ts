/** The tools that run at the edge, one handler each: a tool in the table without a handler does not compile. */
import type { EdgeTool } from '../../../schema/contracts/tools.ts';
import { conversationMode } from './conversation-mode.ts';
import { describe } from './describe.ts';
import { outputRead } from './output-read.ts';
import { status } from './status.ts';
import { systemDrain, systemPause, systemResume } from './system-mode.ts';
import { tasksCancel, tasksCreate, tasksStatus } from './tasks.ts';
import type { EdgeToolHandler } from './tool.ts';

export const EDGE_TOOLS: { [N in EdgeTool]: EdgeToolHandler<N> } = {
  'conductor::describe': describe,
  'conductor::status': status,
  'conductor::output/read': outputRead,
  'conductor::system/pause': systemPause,
  'conductor::system/resume': systemResume,
  'conductor::system/drain': systemDrain,
  'conductor::conversation/mode': conversationMode,
  'conductor::tasks/create': tasksCreate,
  'conductor::tasks/status': tasksStatus,
  'conductor::tasks/cancel': tasksCancel,
};
