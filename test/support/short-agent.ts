/** An agent that only starts one runner and then waits to be killed: `node short-agent.ts RUN_FOLDER LAUNCH`. */
import type { Launch } from '../../local-agent/runner/launch.ts';
import { startRunner } from '../../local-agent/runner/start-runner.ts';

const [, , folder = '', launch = '{}'] = process.argv;
await startRunner(folder, JSON.parse(launch) as Launch);
setInterval(() => undefined, 60_000);
