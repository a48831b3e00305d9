import { describe, expect, it } from 'vitest';
import { runCli } from '../../../../local-agent/commands/main.ts';
import { commandWorld } from '../../../support/command-deps.ts';

const marks = { term: 3, mode_version: 5, epoch: 1 };
const response = (instructions: number, more: boolean, restored = true) => ({
  restored,
  d1: { ...marks, epoch: 0 },
  objects: marks,
  quarantined: { instructions, renewal_jobs: 1, tasks: 3, commands: 0 },
  more,
  summary: 'what the edge says',
});

describe('restore-check', () => {
  it('restore-check calls until nothing is left, forces only the first call, and prints the sums', async () => {
    const responses = [response(100, true), response(7, false)];
    const world = commandWorld(() => responses.shift());
    expect(await runCli(['restore-check', '--force'], world.deps)).toBe(0);
    expect(world.calls.map(({ path, body }) => [path, body])).toEqual([
      ['/v1/system/restore-check', { force: true }],
      ['/v1/system/restore-check', {}],
    ]);
    expect(world.stdout()).toContain('quarantined: 107 instructions, 2 renewals, 6 tasks, 0 commands');
  });

  it('restore-check prints the summary of the edge when nothing was restored', async () => {
    const world = commandWorld(() => response(0, false, false));
    expect(await runCli(['restore-check'], world.deps)).toBe(0);
    expect(world.stdout()).toContain('what the edge says');
    expect(world.stdout()).not.toContain('quarantined');
  });
});
