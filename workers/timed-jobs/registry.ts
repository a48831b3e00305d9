/** Every timed job, in the order in which a tick runs them: a job that the projector inserts is sent in the same tick. */
import { asksJob } from '../asks/asks.job.ts';
import { conversationsForget } from '../forget/forget.job.ts';
import { textsRetention } from '../forget/texts-retention.job.ts';
import { approvalsExpire } from '../instructions/approvals-expire.job.ts';
import { instructionsExpire } from '../instructions/instructions-expire.job.ts';
import { commandsExpire } from '../nodes/commands-expire.job.ts';
import { notices } from '../notices/notices.job.ts';
import { renewalDispatcher } from '../renewal/dispatcher.job.ts';
import { renewalProjector } from '../renewal/projector.job.ts';
import { deliveriesReconcile } from '../renewal/reconcile.job.ts';
import { counters } from '../system/counters.job.ts';
import { stepsReconcile } from '../tasks/steps-reconcile.job.ts';
import { taskNotices } from '../tasks/task-notices.job.ts';
import { tasksRetention } from '../tasks/tasks-retention.job.ts';
import type { Runner } from './job.ts';
import { retention } from './retention.job.ts';

export const RUNNERS: readonly Runner[] = [
  stepsReconcile,
  instructionsExpire,
  approvalsExpire,
  deliveriesReconcile,
  commandsExpire,
  renewalProjector,
  renewalDispatcher,
  taskNotices,
  counters,
  retention,
  tasksRetention,
  notices,
  asksJob,
  conversationsForget,
  textsRetention,
];
