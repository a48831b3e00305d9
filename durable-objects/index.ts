/** The classes of the objects, for the Worker's main module to export. */
export { AutomationState } from './automation-state/automation-state.ts';
export { LeaderLease } from './leader-lease/leader-lease.ts';
export { NodeHub } from './node-hub/node-hub.ts';
export { TimedJobs } from './timed-jobs/timed-jobs.ts';
