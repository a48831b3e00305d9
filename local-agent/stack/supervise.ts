/**
 * The agent of a service: `conductor start`, started again when it ends, and ended when it sends no heartbeat. The agent's own
 * watchdog ends it where its code hangs; only another process notices one that is stopped as a whole. SIGTERM stops the agent
 * and leaves the runners of its tasks alone.
 */
import { parseArgs } from 'node:util';
import { resolveConfig } from '../config/resolve.ts';
import { readOwnFile } from '../host/own-files.ts';
import { keepOutputSmall } from '../host/own-output.ts';
import { PROGRAM_FOLDER, programFile } from '../host/program-file.ts';
import { launchdLog } from '../service/launchd-file.ts';
import { watchHeartbeat } from './heartbeat.ts';
import { AGENT_STOP_MS, Supervised } from './supervised.ts';

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

const say = (line: string): void => void process.stdout.write(`${line}\n`);

function keepLogSmall(root: string | undefined): void {
  try {
    const { config } = resolveConfig({ flags: { root }, env: process.env, readFile: readOwnFile });
    keepOutputSmall(launchdLog(config.logsDir));
  } catch {
    // The agent says what is wrong with its configuration, at each start until it is mended.
  }
}

const { values } = parseArgs({ options: { root: { type: 'string' } } });
const root = values.root === undefined ? [] : ['--root', values.root];
const agent = new Supervised(
  {
    name: 'agent',
    args: ['--import', programFile('stack/end-with-parent'), programFile('cli'), 'start', ...root],
    cwd: PROGRAM_FOLDER,
    env: {},
    output: say,
  },
  say,
);
keepLogSmall(values.root);
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
