import { describe, expect, it } from 'vitest';
import { RunStore } from '../../../../local-agent/tasks/run-store.ts';
import { openTestStore } from '../../../support/agent-store.ts';
import { RUN_ID, TASK_ID } from '../../../support/run-builders.ts';
import { claimedRun } from '../../../support/step-builders.ts';
import { TestClock } from '../../../support/test-clock.ts';

const DEADLINE = { wall: 1, monotonic: 2 };

function openRuns() {
  const clock = new TestClock(1_000);
  const { db } = openTestStore(clock);
  return { clock, runs: new RunStore({ db, now: () => clock.now() }) };
}

describe('the runs of a node', () => {
  it('keep one claim key until its response is stored', () => {
    const { runs } = openRuns();
    expect(runs.claimKey(() => 'one')).toBe('one');
    expect(runs.claimKey(() => 'two')).toBe('one');
    runs.forgetClaimKey();
    expect(runs.claimKey(() => 'two')).toBe('two');
  });

  it('are stored once, however often the claim gets its response', () => {
    const { runs } = openRuns();
    runs.add(claimedRun(), DEADLINE);
    runs.move(RUN_ID, 'started');
    runs.add(claimedRun(), DEADLINE);
    expect(runs.find(RUN_ID)).toMatchObject({ stage: 'started', deadline: DEADLINE });
  });

  it('are open until they are reported', () => {
    const { runs } = openRuns();
    runs.add(claimedRun(), DEADLINE);
    runs.change(RUN_ID, { stop: 'canceled', sent: { stdout: 5, stderr: 0, lifecycle: 1 } });
    expect(runs.open()).toMatchObject([{ run_id: RUN_ID, stop: 'canceled', sent: { stdout: 5 } }]);
    runs.move(RUN_ID, 'ended');
    runs.move(RUN_ID, 'reported');
    expect(runs.open()).toEqual([]);
  });

  it('of a task are forgotten together', () => {
    const { runs, clock } = openRuns();
    runs.add(claimedRun(), DEADLINE);
    expect(runs.tasks()).toEqual([{ task_id: TASK_ID, repo: null, used_at: clock.now() }]);
    runs.forgetTask(TASK_ID);
    expect(runs.find(RUN_ID)).toBeNull();
    expect(runs.tasks()).toEqual([]);
  });
});
