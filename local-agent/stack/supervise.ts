/**
 * The agent of a service: `conductor start`, started again when it ends, and ended when it sends no heartbeat. The agent's own
 * watchdog ends it where its code hangs; only another process notices one that is stopped as a whole. SIGTERM stops the agent
 * and leaves the runners of its tasks alone.
 */
import { parseArgs } from 'node:util';
import { keepOutputSmall, SERVICE_LOG } from '../host/own-output.ts';
import { PROGRAM_FOLDER, programFile } from '../host/program-file.ts';
import { watchHeartbeat } from './heartbeat.ts';
import { AGENT_STOP_MS } from './send-heartbeats.ts';
import { SMALL_HEAP, Supervised } from './supervised.ts';

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

const say = (line: string): void => void process.stdout.write(`${line}\n`);

const { values } = parseArgs({ options: { root: { type: 'string' } } });
const root = values.root === undefined ? [] : ['--root', values.root];
const agent = new Supervised(
  {
    name: 'agent',
    args: ['--import', programFile('stack/end-with-parent'), programFile('stack/agent'), 'start', ...root],
    cwd: PROGRAM_FOLDER,
    env: SMALL_HEAP,
    output: say,
  },
  say,
);
keepOutputSmall(process.env[SERVICE_LOG]);
agent.start();
const stopWatching = watchHeartbeat(agent, say);
let stopping = false;
for (const signal of SIGNALS) {
  process.on(signal, async () => {
    if (stopping) return;
    stopping = true;
    stopWatching();
    await agent.stop(AGENT_STOP_MS);
    process.exit(0);
  });
}
