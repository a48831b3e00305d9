/** A real disk that is full: the agent keeps everything on a few MiB, and its step fills them. */
import { once } from 'node:events';
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { readState } from '../../../../local-agent/runs/state-file.ts';
import { RunEventSchema, RunMetaSchema } from '../../../../schema/contracts/run-files.ts';
import { openRunsScene } from '../../../support/runs-scene.ts';
import { spawnOnSmallDisk, whyNoSmallDisk } from '../../../support/small-disk.ts';
import { until } from '../../../support/until.ts';

const AGENT = join(import.meta.dirname, '../../../support/runs-agent.ts');
const WHY_NOT = whyNoSmallDisk();
if (WHY_NOT !== null) process.stdout.write(`skipped, a program gets no disk of its own here: ${WHY_NOT}\n`);

describe.skipIf(WHY_NOT !== null)('a real disk that a step has filled', () => {
  it('ends the run as failed with the reason, keeps its files whole, and takes work again when there is space', async () => {
    const { server, root, offer, ended, edge } = await openRunsScene();
    const options = JSON.stringify({ edgeUrl: server.url, root });
    const { child, disk } = spawnOnSmallDisk(root, 8, [process.execPath, AGENT, options]);
    onTestFinished(() => void child.kill('SIGKILL'));
    await once(child.stdout ?? child, 'data');
    const filled = offer({ input: { script: 'echo on; cat /dev/zero > ballast' } });
    const folder = join(disk, 'runs', filled.task_id, filled.run_id);
    await until(() => existsSync(join(folder, 'state.json')) && readState(folder)?.status === 'failed');
    expect(readState(folder)).toMatchObject({
      error_code: 'disk_fault',
      error_text: expect.stringContaining('free space'),
    });
    RunMetaSchema.parse(JSON.parse(readFileSync(join(folder, 'meta.json'), 'utf8')));
    const events = readFileSync(join(folder, 'events.jsonl'), 'utf8').split('\n');
    expect(events.pop()).toBe('');
    for (const event of events) RunEventSchema.parse(JSON.parse(event));
    expect(readFileSync(join(folder, 'stdout.log'), 'utf8')).toBe('on\n');

    // It is claimed at the end of the first.
    const next = offer({ input: { script: 'echo again' } });
    rmSync(join(disk, 'worktrees', filled.task_id, 'ballast'));
    expect((await ended(filled)).end).toMatchObject({ status: 'failed', error_code: 'disk_fault' });
    expect(edge.run(filled.run_id).text('stdout')).toBe('on\n');
    expect((await ended(next)).end).toMatchObject({ status: 'succeeded' });
    expect(edge.run(next.run_id).text('stdout')).toBe('again\n');
  });
});
