/** Runs on the disk that the node's store does not have, as after the store was lost. */
import { existsSync, mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { createRunFolder } from '../../../../local-agent/runs/run-folder.ts';
import { runFolderPath } from '../../../../local-agent/runs/run-paths.ts';
import { readState } from '../../../../local-agent/runs/state-file.ts';
import { findProcessesNow } from '../../../../local-agent/worker-runner/find-processes.ts';
import { queryOf } from '../../../../local-agent/worker-runner/left-behind.ts';
import { runMeta } from '../../../support/run-builders.ts';
import { openRunsScene } from '../../../support/runs-scene.ts';
import { until } from '../../../support/until.ts';

describe('a run of which only the files are left', () => {
  it('is ended with everything of it, and its files say so; the edge hears nothing of it', async () => {
    const { edge, root, offer, open, folderOf } = await openRunsScene();
    const claim = offer({ input: { script: 'setsid sleep 600 & echo on; sleep 600' } });
    const first = open();
    await until(() => edge.run(claim.run_id).text('stdout') === 'on\n');
    await first.stop();
    for (const name of ['', '-wal', '-shm']) rmSync(join(root, `agent.sqlite${name}`), { force: true });
    open();
    await until(() => readState(folderOf(claim))?.status === 'lost');
    await until(() => findProcessesNow(queryOf(null, claim.run_id)).length === 0);
    expect(readState(folderOf(claim))).toMatchObject({ error_code: 'unknown_run' });
    expect(edge.run(claim.run_id).end).toBeNull();
  });

  it('that was only prepared never begins', async () => {
    const { root, open } = await openRunsScene();
    const meta = runMeta();
    const folder = createRunFolder(join(root, 'runs'), meta);
    open();
    await until(() => readState(folder)?.status === 'lost');
    expect(existsSync(join(folder, 'runner.json'))).toBe(true);
  });

  it('whose preparation was cut off leaves nothing', async () => {
    const { root, open } = await openRunsScene();
    const meta = runMeta();
    const folder = runFolderPath(join(root, 'runs'), meta);
    const half = join(folder, '..', `.${meta.run_id}.new`);
    mkdirSync(half, { recursive: true });
    open();
    await until(() => !existsSync(half));
  });
});
