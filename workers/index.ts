/** The Worker: HTTP, cron, the four Durable Objects, and the entrypoint through which the objects call the Worker. */
import { createApp } from './app.ts';
import { storeMeter } from './db/store-meter.ts';
import { runTick } from './timed-jobs/run-tick.ts';

export { AutomationState, LeaderLease, NodeHub, TimedJobs } from '../durable-objects/index.ts';
export { EdgeBackend } from './backend.ts';

const app = createApp();

// Annotated instead of `satisfies`, because the type of `ctx.exports` is derived from this module's own type.
const worker: ExportedHandler<Env> = {
  async fetch(request, env, ctx) {
    const response = await app.fetch(request, env, ctx);
    ctx.waitUntil(storeMeter(env, Date.now()));
    return response;
  },
  async scheduled(controller, env) {
    await runTick(env, { trigger: 'cron', scheduledTime: controller.scheduledTime, now: Date.now() });
    await storeMeter(env, Date.now());
  },
};
export default worker;
