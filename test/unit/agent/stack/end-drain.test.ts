import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { EdgeError } from '../../../../local-agent/edge/http-client.ts';
import { endDrainOfStop } from '../../../../local-agent/stack/end-drain.ts';
import { commandWorld } from '../../../support/command-deps.ts';
import { tempDir } from '../../../support/temp-dir.ts';

/** A root whose node `service stop` has drained, and an edge that responds so. */
function drainedRoot(respond: () => unknown) {
  const root = tempDir();
  const mark = join(root, 'state', 'drained-for-stop');
  mkdirSync(join(root, 'state'));
  writeFileSync(mark, 'mini\n');
  const { deps, calls } = commandWorld(respond);
  return { root, mark, calls, edge: deps.connect('http://edge', 'secret') };
}

describe('the start of a local system', () => {
  it('ends the drain that service stop began, once', async () => {
    const { root, mark, calls, edge } = drainedRoot(() => ({ controller_id: 'mini', draining: false, runs: [] }));
    await endDrainOfStop(edge, { root });
    await endDrainOfStop(edge, { root });
    expect(calls.map(({ method, path, body }) => [method, path, body])).toEqual([
      ['POST', '/v1/controllers/mini/drain', { on: false }],
    ]);
    expect(existsSync(mark)).toBe(false);
  });

  it('forgets the drain of a node that the edge does not know', async () => {
    const { root, mark, edge } = drainedRoot(() => {
      throw new EdgeError('status', 404, 'controller_not_found', 'no such node');
    });
    await endDrainOfStop(edge, { root });
    expect(existsSync(mark)).toBe(false);
  });

  it('keeps the drain in mind while the edge fails', async () => {
    const { root, mark, edge } = drainedRoot(() => {
      throw new EdgeError('status', 500, 'internal_error', 'failed');
    });
    await expect(endDrainOfStop(edge, { root })).rejects.toThrow('failed');
    expect(existsSync(mark)).toBe(true);
  });
});
