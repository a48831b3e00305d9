/** Reports of a run that is over by the time the edge commits what it has read and decided. */
import { describe, expect, it } from 'vitest';
import type { ClaimedRun } from '../../../schema/contracts/runs.ts';
import { rowsOf } from '../support/edge.ts';
import { Tasks } from './support.ts';

const conductor = await new Tasks().start();
const { edge } = conductor;

const REPORTS = {
  logs: { chunks: [{ stream: 'stdout', offset: 0, data: btoa('late') }] },
  checkpoint: { seq: 1, type: 'summary', size: 1, sha256: '0'.repeat(64), truncated: true },
  heartbeat: { checkpoint_seq: 0, started: true, progress: 'late' },
  complete: { exit_code: 0 },
};
const REPORT_NAMES = Object.keys(REPORTS) as (keyof typeof REPORTS)[];

/** What the edge has of a run and its step. */
async function stored({ run_id, step_id }: ClaimedRun) {
  return [
    await rowsOf('SELECT status, progress, exit_code, checkpoint_seq, log FROM runs WHERE run_id = ?', run_id),
    await rowsOf('SELECT status, run_id FROM steps WHERE step_id = ?', step_id),
    await rowsOf('SELECT run_id FROM run_logs WHERE run_id = ?', run_id),
    await rowsOf('SELECT run_id FROM checkpoints WHERE run_id = ?', run_id),
  ];
}

/** The report of a run, to which `rival` happens after the edge has read it. */
async function overtaken(what: keyof typeof REPORTS, rival: (run: ClaimedRun) => Promise<unknown>) {
  const { task_id } = await conductor.create();
  const run = await conductor.claimed();
  let before: unknown;
  const refused = await edge.race(
    () => conductor.refused(run, what, REPORTS[what]),
    async () => {
      await rival(run);
      before = await stored(run);
    },
  );
  const after = await stored(run);
  await rowsOf("UPDATE runs SET status = 'canceled', deadline_at = NULL WHERE task_id = ?", task_id);
  await rowsOf("UPDATE steps SET status = 'canceled', ready = NULL WHERE task_id = ?", task_id);
  return { refused, before, after };
}

describe('a report that the end of its run overtakes', () => {
  it.each(REPORT_NAMES)('as %s is refused, and changes nothing', async (what) => {
    const { refused, before, after } = await overtaken(what, ({ run_id }) =>
      rowsOf("UPDATE runs SET status = 'lost', deadline_at = NULL WHERE run_id = ?", run_id),
    );
    expect(refused).toMatchObject({ status: 409, error: 'stale_run' });
    expect(after).toEqual(before);
  });
});

describe('a report that another run of its step overtakes', () => {
  it.each(REPORT_NAMES)('as %s is refused, and changes nothing', async (what) => {
    const { refused, before, after } = await overtaken(what, ({ step_id }) =>
      rowsOf("UPDATE steps SET run_id = 'run_another' WHERE step_id = ?", step_id),
    );
    expect(refused).toMatchObject({ status: 409, error: 'stale_run' });
    expect(after).toEqual(before);
  });
});
