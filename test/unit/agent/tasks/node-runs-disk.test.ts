/** A disk that takes nothing more of the agent's store, or of a run: nothing is lost, and it works when there is space again. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readState } from '../../../../local-agent/runs/state-file.ts';
import { findProcessesNow } from '../../../../local-agent/worker-runner/find-processes.ts';
import { queryOf } from '../../../../local-agent/worker-runner/left-behind.ts';
import { diskFullError, makeDiskOf } from '../../../support/disk-full.ts';
import { openRunsScene } from '../../../support/runs-scene.ts';
import { until } from '../../../support/until.ts';

const eventsOf = (text: string) =>
  text
    .trimEnd()
    .split('\n')
    .map((line) => (JSON.parse(line) as { type: string }).type);

describe('a store without space', () => {
  it('at the end of a run gets that end when there is space again, and the log whole and once', async () => {
    const { edge, root, offer, open, ended, file } = await openRunsScene();
    const gate = join(root, 'gate');
    const claim = offer({ input: { script: `echo on; while [ ! -e ${gate} ]; do sleep 0.05; done; seq 5000` } });
    const { store, problems, sender } = open();
    await until(() => edge.run(claim.run_id).text('stdout') === 'on\n');
    const disk = makeDiskOf(store);
    disk.isFull = true;
    writeFileSync(gate, '');
    await until(() => problems.length > 2);
    expect(edge.run(claim.run_id).end).toBeNull();
    disk.isFull = false;
    await until(() => {
      sender.wake();
      return edge.run(claim.run_id).end !== null;
    });
    const run = await ended(claim);
    const numbers = Array.from({ length: 5_000 }, (_, n) => `${n + 1}\n`).join('');
    expect(`on\n${numbers}`.startsWith(run.text('stdout'))).toBe(true);
    expect(run.text('stdout')).toBe(file(claim, 'stdout.log'));
    expect(run.text('lifecycle')).toBe(file(claim, 'worker.log'));
    const events = eventsOf(file(claim, 'events.jsonl'));
    expect(events.filter((type) => type.startsWith('step_'))).toEqual([events.at(-1)]);
  });

  it('ends a run whose output cannot be handed on as failed, with the reason', async () => {
    const { edge, offer, open, ended, folderOf } = await openRunsScene();
    const claim = offer({ input: { script: 'echo on; while :; do sleep 0.1; echo more; done' } });
    const { store, problems, sender } = open();
    await until(() => edge.run(claim.run_id).text('stdout').startsWith('on\n'));
    const disk = makeDiskOf(store);
    disk.isFull = true;
    await until(() => problems.length > 0);
    disk.isFull = false;
    await until(() => {
      sender.wake();
      return edge.run(claim.run_id).end !== null;
    });
    const run = await ended(claim);
    expect(run.end).toMatchObject({
      status: 'failed',
      error_code: 'disk_fault',
      error_text: expect.stringContaining('free space'),
    });
    expect(readState(folderOf(claim))).toMatchObject({ status: 'failed', error_code: 'disk_fault' });
    expect(findProcessesNow(queryOf(null, claim.run_id))).toEqual([]);
  });

  it('claims nothing, and claims again when there is space', async () => {
    const { edge, offer, open, ended } = await openRunsScene();
    const node = open();
    await until(() => edge.claims.length > 0 && edge.waiting.length === 0);
    const claimKey = node.runs.claimKey.bind(node.runs);
    node.runs.claimKey = () => {
      throw diskFullError();
    };
    const claim = offer({ input: { script: 'true' } });
    node.nodeRuns.wake();
    await new Promise(setImmediate);
    expect(edge.run(claim.run_id).heartbeats).toEqual([]);
    node.runs.claimKey = claimKey;
    node.nodeRuns.wake();
    expect((await ended(claim)).end).toMatchObject({ status: 'succeeded' });
  });
});

describe('a run whose end is in its files and not in the store', () => {
  it('is reported with that end by the next agent, which writes nothing more into them', async () => {
    const { offer, open, ended, edge, file } = await openRunsScene();
    const claim = offer({ input: { script: 'echo on; exit 3' } });
    const first = open({ storeRetryMs: 3_600_000 });
    const move = first.runs.move.bind(first.runs);
    first.runs.move = (runId, to) => {
      if (to === 'ended') throw diskFullError();
      move(runId, to);
    };
    await until(() => first.problems.length > 0);
    await first.stop();
    const files = ['events.jsonl', 'worker.log', 'state.json'];
    const before = files.map((name) => file(claim, name));
    expect(edge.run(claim.run_id).end).toBeNull();
    open();
    const run = await ended(claim);
    expect(run.end).toMatchObject({ status: 'failed', error_code: 'exit_code', exit_code: 3 });
    expect(files.map((name) => file(claim, name))).toEqual(before);
    expect(run.text('lifecycle')).toBe(file(claim, 'worker.log'));
  });
});

describe('a started run whose files cannot be read any more', () => {
  it('is ended and reported, and the agent takes on other work', async () => {
    const { edge, offer, open, ended, folderOf } = await openRunsScene();
    const claim = offer({ input: { script: 'echo on; sleep 600' } });
    const first = open();
    await until(() => edge.run(claim.run_id).text('stdout') === 'on\n');
    await first.stop();
    writeFileSync(join(folderOf(claim), 'state.json'), '{"run_');
    open();
    expect((await ended(claim)).end).toMatchObject({ status: 'failed', error_code: 'run_folder_failed' });
    expect(findProcessesNow(queryOf(null, claim.run_id))).toEqual([]);
  });
});

describe('a report that a test step names', () => {
  it('is read only when it is a file of bounded size', async () => {
    const { offer, open, ended } = await openRunsScene();
    const script = 'ln -s /dev/zero report.xml; echo "Tests: 3 passed, 3 total"';
    const claim = offer({ kind: 'test', input: { script, report: 'report.xml' } });
    open();
    expect((await ended(claim)).end).toMatchObject({ status: 'succeeded', summary: expect.stringContaining('3') });
  });
});
