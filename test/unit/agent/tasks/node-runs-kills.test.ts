/**
 * kill -9 of agent, runner and child at random points over real processes. The step itself writes down each start of it, so
 * that no step of a run ever runs twice.
 */
import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, it, onTestFinished } from 'vitest';
import { readIdentity } from '../../../../local-agent/runner/identity.ts';
import { listRunFolders } from '../../../../local-agent/runs/run-folder.ts';
import { runFolderPath } from '../../../../local-agent/runs/run-paths.ts';
import { findProcessesNow } from '../../../../local-agent/worker-runner/find-processes.ts';
import { queryOf } from '../../../../local-agent/worker-runner/left-behind.ts';
import { RunStateFileSchema } from '../../../../schema/contracts/run-files.ts';
import { newId } from '../../../../schema/ids.ts';
import { FakeEdge } from '../../../support/fake-edge.ts';
import { RunsEdge } from '../../../support/runs-edge.ts';
import { claimedRun } from '../../../support/step-builders.ts';
import { tempDir } from '../../../support/temp-dir.ts';
import { until } from '../../../support/until.ts';

const AGENT = join(import.meta.dirname, '../../../support/runs-agent.ts');
/** Raised by the variable for a longer search. */
const ROUNDS = Number(process.env.CONDUCTOR_KILL_ROUNDS ?? 2);
const MINUTES_MS = 5 * 60_000;
const LINES = 40;

/** A repeatable series of numbers in [0, 1). */
function series(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state * 1_664_525 + 1_013_904_223) % 2 ** 32;
    return state / 2 ** 32;
  };
}

function killAt(pid: number | undefined): void {
  if (pid === undefined) return;
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It has ended already.
  }
}

describe('kill -9 at random points', () => {
  it('leaves every state.json whole, no run open, no process, and no log line lost or doubled', {
    timeout: MINUTES_MS,
  }, async () => {
    const server = await FakeEdge.start();
    onTestFinished(() => server.stop());
    const edge = new RunsEdge(server);
    const root = tempDir();
    const runsDir = join(root, 'runs');
    const random = series(7);
    const options = JSON.stringify({ edgeUrl: server.url, root });
    const claims = Array.from({ length: ROUNDS }, (_, n) => {
      const ids = { run_id: newId('run', Date.now()), task_id: newId('task', Date.now()), step_id: newId('step', n) };
      const starts = join(root, `starts-${n}`);
      const lines = `for i in $(seq ${LINES}); do echo line-$i; sleep 0.02; done`;
      return claimedRun({ ...ids, input: { script: `echo $BAA_RUN_ID >> ${starts}; ${lines}` } });
    });
    edge.waiting.push(...claims);
    const startAgent = async (): Promise<ChildProcess> => {
      const agent = spawn(process.execPath, [AGENT, options], { stdio: ['ignore', 'pipe', 'inherit'] });
      await once(agent.stdout, 'data');
      return agent;
    };
    let agent = await startAgent();
    onTestFinished(() => killAt(agent.pid));
    const isOpen = () => claims.some(({ run_id }) => edge.run(run_id).end === null);
    for (let kills = 0; isOpen() && kills < 4 * ROUNDS; kills++) {
      await delay(100 + random() * 600);
      const folders = listRunFolders(runsDir).map((ids) => runFolderPath(runsDir, ids));
      const identity = folders.map(readIdentity)[Math.floor(random() * folders.length)];
      const what = random();
      if (what < 0.25) killAt(identity?.runner?.pid);
      else if (what < 0.5) killAt(identity?.child?.pid);
      if (what < 0.25 || what >= 0.5) {
        agent.kill('SIGKILL');
        await once(agent, 'exit');
        agent = await startAgent();
      }
    }
    await until(() => !isOpen());
    for (const claim of claims) {
      const folder = runFolderPath(runsDir, claim);
      const state = RunStateFileSchema.parse(JSON.parse(readFileSync(join(folder, 'state.json'), 'utf8')));
      expect(['succeeded', 'failed', 'lost']).toContain(state.status);
      expect(edge.run(claim.run_id).text('stdout')).toBe(readFileSync(join(folder, 'stdout.log'), 'utf8'));
      expect(edge.run(claim.run_id).text('lifecycle')).toBe(readFileSync(join(folder, 'worker.log'), 'utf8'));
      expect(findProcessesNow(queryOf(null, claim.run_id))).toEqual([]);
    }
    const starts = readdirSync(root).filter((name) => name.startsWith('starts-'));
    for (const name of starts) expect(readFileSync(join(root, name), 'utf8').trim().split('\n')).toHaveLength(1);
  });
});
