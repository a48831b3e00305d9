/** Every timed job, in the order in which a tick runs them: what the projector makes due is sent in the same tick. */
import { approvalsExpire } from './approvals-expire.ts';
import { commandsExpire } from './commands-expire.ts';
import { deliveriesReconcile } from './deliveries-reconcile.ts';
import { instructionsExpire } from './instructions-expire.ts';
import { renewalDispatcher } from './renewal-dispatcher.ts';
import { renewalProjector } from './renewal-projector.ts';
import { retention } from './retention.ts';
import type { Runner } from './runner.ts';

export const RUNNERS: readonly Runner[] = [
  instructionsExpire,
  approvalsExpire,
  deliveriesReconcile,
  commandsExpire,
  renewalProjector,
  renewalDispatcher,
  retention,
];
