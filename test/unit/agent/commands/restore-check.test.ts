import { describe, expect, it } from 'vitest';
import { runCli } from '../../../../local-agent/commands/main.ts';
import { commandWorld } from '../../../support/command-deps.ts';

const marks = { term: 3, mode_version: 5, epoch: 1 };
const answer = (instructions: number, more: boolean, restored = true) => ({
  restored,
  d1: { ...marks, epoch: 0 },
  objects: marks,
  quarantined: { instructions, renewal_jobs: 1, commands: 0 },
  more,
  summary: 'what the edge says',
});

describe('restore-check', () => {
  it('asks until there is no more, forces the first call only, and prints the counts of all', async () => {
    const answers = [answer(100, true), answer(7, false)];
    const world = commandWorld(() => answers.shift());
    expect(await runCli(['restore-check', '--force'], world.deps)).toBe(0);
    expect(world.calls.map(({ path, body }) => [path, body])).toEqual([
      ['/v1/system/restore-check', { force: true }],
      ['/v1/system/restore-check', {}],
    ]);
    expect(world.stdout()).toContain('quarantined: 107 instructions, 2 renewals, 0 commands');
  });

  it('says so when there was nothing to do', async () => {
    const world = commandWorld(() => answer(0, false, false));
    expect(await runCli(['restore-check'], world.deps)).toBe(0);
    expect(world.stdout()).toContain('what the edge says');
    expect(world.stdout()).not.toContain('quarantined');
  });
});
