/** The Worker: HTTP, the cron, the four Durable Objects, and the entrypoint by which the objects ask for things. */
import { createApp } from './app.ts';
import { runTick } from './timed-jobs/run-tick.ts';

export { AutomationState, LeaderLease, NodeHub, TimedJobs } from '../durable-objects/index.ts';
export { EdgeBackend } from './backend.ts';

const app = createApp();

// Annotated, not `satisfies`: the type of `ctx.exports` is this module's, and would go round in a circle.
const worker: ExportedHandler<Env> = {
  fetch: app.fetch,
  async scheduled(controller, env) {
    await runTick(env, { trigger: 'cron', scheduledTime: controller.scheduledTime, now: Date.now() });
  },
};
export default worker;
