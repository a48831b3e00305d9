import { describe, expect, it } from 'vitest';
import { runCli } from '../../../../local-agent/commands/main.ts';
import { commandWorld } from '../../../support/command-deps.ts';
import { TestClock } from '../../../support/test-clock.ts';

const live = {
  run_id: 'run_1',
  task_id: 'task_1',
  step_id: 'step_1',
  task_title: 'tidy up',
  step_name: 'work',
  status: 'running',
  progress: null,
  created_at: 0,
};
const ARGV = ['nodes', 'drain', 'mini', '--wait'];

/** A node that has its run for so many looks. */
function nodeWith(looks: number, { connected = true } = {}) {
  const clock = new TestClock();
  let left = looks;
  const world = commandWorld(
    ({ method }) => {
      if (method === 'POST') return { controller_id: 'mini', draining: true, runs: ['run_1'] };
      left -= 1;
      return { live_runs: left < 0 ? [] : [live], presence: { connected, contact_age_ms: null } };
    },
    { clock },
  );
  return { ...world, clock };
}

describe('nodes drain --wait', () => {
  it('returns when the node runs nothing more', async () => {
    const { deps, clock, calls, out } = nodeWith(2);
    const ended = runCli(ARGV, deps);
    await clock.elapse(2_000);
    expect(await ended).toBe(0);
    expect(calls.map(({ method, path }) => `${method} ${path}`)).toEqual([
      'POST /v1/controllers/mini/drain',
      ...Array(3).fill('GET /v1/controllers/mini'),
    ]);
    expect(out).toEqual([
      'mini leads no more and claims no more steps; it was asked to give up run_1',
      'mini runs nothing more',
    ]);
  });

  it('says on a terminal what it waits for, once', async () => {
    const { deps, clock, err } = nodeWith(3);
    const ended = runCli(ARGV, { ...deps, isTerminal: true, env: { ...deps.env, NO_COLOR: '1' } });
    await clock.elapse(3_000);
    expect(await ended).toBe(0);
    expect(err).toEqual(['waiting for the end of run_1 …']);
  });

  it('fails after ten minutes, and says what is left and why', async () => {
    const { deps, clock, stderr } = nodeWith(Number.POSITIVE_INFINITY, { connected: false });
    const ended = runCli(ARGV, deps);
    await clock.elapse(600_000);
    expect(await ended).toBe(1);
    expect(stderr()).toContain('mini still has run_1 after ten minutes: it is not connected');
  });

  it('prints one value with --json', async () => {
    const { deps, clock, out } = nodeWith(1);
    const ended = runCli([...ARGV, '--json'], deps);
    await clock.elapse(1_000);
    expect(await ended).toBe(0);
    expect(out.map((line) => JSON.parse(line))).toEqual([
      { controller_id: 'mini', draining: true, runs: ['run_1'], left: [] },
    ]);
  });
});
