import { describe, expect, it } from 'vitest';
import { usageSince } from '../../../../local-agent/tasks/reports.ts';
import { moveStage, nextWork } from '../../../../local-agent/tasks/run-stage.ts';
import { runBefore } from '../../../../local-agent/worktrees/task-folder.ts';
import { claimedRun } from '../../../support/step-builders.ts';

describe('what an agent does with a run that it finds', () => {
  it.each([
    ['claimed', 'lost', 'prepare'],
    ['started', 'running', 'follow'],
    ['started', 'ended', 'finish'],
    ['started', 'lost', 'give_up'],
    ['started', 'never_began', 'give_up'],
    ['ended', 'ended', 'await_edge'],
    ['reported', 'ended', 'nothing'],
  ] as const)('that is %s, with a runner that is %s: %s', (stage, runner, work) => {
    expect(nextWork(stage, () => runner)).toBe(work);
  });

  it('does not look for the runner of one that was not started, because the look decides that none may begin', () => {
    const look = () => {
      throw new Error('looked');
    };
    expect(nextWork('claimed', look)).toBe('prepare');
  });

  it('never goes back a stage', () => {
    expect(moveStage('claimed', 'ended')).toBe('ended');
    expect(() => moveStage('ended', 'started')).toThrow('a run that is ended cannot become started');
  });
});

describe('the run before one', () => {
  const output = (run_id: string | null) => ({
    step_id: 's',
    run_id,
    kind: 'shell',
    name: 'n',
    status: 'done',
    summary: null,
  });
  const previous = { run_id: 'run_a', controller_id: 'n', status: 'lost' as const, error_code: null, session_id: null };

  it('is that of the same step, else that of the last step that had one', () => {
    expect(runBefore(claimedRun({ previous, outputs: [output('run_b')] }))).toBe('run_a');
    expect(runBefore(claimedRun({ outputs: [output('run_b'), output('run_c'), output(null)] }))).toBe('run_c');
    expect(runBefore(claimedRun())).toBeNull();
  });
});

describe('what a run used of a session that counts in all', () => {
  it('is the difference', () => {
    const before = { input_tokens: 1_000, output_tokens: 50 };
    const now = { input_tokens: 3_000, output_tokens: 150, cost_usd: 1 };
    expect(usageSince(before, now, ['input_tokens', 'output_tokens'])).toEqual({
      input_tokens: 2_000,
      output_tokens: 100,
      cost_usd: 1,
    });
  });

  it('is all of it in a new session, and where the counts went back', () => {
    expect(usageSince(null, { input_tokens: 10 }, ['input_tokens'])).toEqual({ input_tokens: 10 });
    expect(usageSince({ input_tokens: 50 }, { input_tokens: 10 }, ['input_tokens'])).toEqual({ input_tokens: 10 });
  });
});
