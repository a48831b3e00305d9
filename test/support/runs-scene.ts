/** A fake edge, and nodes that run what it offers. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import type { ClaimedRun } from '../../schema/contracts/runs.ts';
import { newId } from '../../schema/ids.ts';
import { FakeEdge } from './fake-edge.ts';
import { RunsEdge } from './runs-edge.ts';
import type { RunsNodeOptions } from './runs-node.ts';
import { openRunsNode } from './runs-node.ts';
import { claimedRun } from './step-builders.ts';
import { tempDir } from './temp-dir.ts';
import { until } from './until.ts';

const ids = () => ({
  run_id: newId('run', Date.now()),
  task_id: newId('task', Date.now()),
  step_id: newId('step', Date.now()),
});

export async function openRunsScene() {
  const server = await FakeEdge.start();
  onTestFinished(() => server.stop());
  const edge = new RunsEdge(server);
  const root = tempDir();
  const open = (overrides: Partial<RunsNodeOptions> = {}) => {
    const node = openRunsNode({ edgeUrl: server.url, root, ...overrides });
    onTestFinished(() => node.stop());
    node.start();
    return node;
  };
  /** Offers a step, and resolves with its run when the edge has its end. */
  const offer = (overrides: Partial<ClaimedRun>) => {
    const claim = claimedRun({ ...ids(), ...overrides });
    edge.waiting.push(claim);
    return claim;
  };
  const ended = async ({ run_id }: Pick<ClaimedRun, 'run_id'>) => {
    await until(() => edge.run(run_id).end !== null);
    return edge.run(run_id);
  };
  const folderOf = ({ task_id, run_id }: ClaimedRun) => join(root, 'runs', task_id, run_id);
  const file = (claim: ClaimedRun, name: string) => readFileSync(join(folderOf(claim), name), 'utf8');
  return { server, edge, root, open, offer, ended, folderOf, file };
}
