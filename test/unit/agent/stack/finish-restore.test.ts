import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { describe, expect, it } from 'vitest';
import { restoredPath } from '../../../../local-agent/config/root-files.ts';
import { finishRestore } from '../../../../local-agent/stack/finish-restore.ts';
import { commandWorld } from '../../../support/command-deps.ts';
import { tempDir } from '../../../support/temp-dir.ts';

/** A root that was restored, and an edge that has more to quarantine after that many calls or fewer. */
function restoredRoot(calls: number) {
  const root = tempDir();
  const mark = restoredPath(root);
  mkdirSync(dirname(mark));
  writeFileSync(mark, '2027-01-15T08:00:00.000Z\n');
  const world = commandWorld(() => {
    const more = world.calls.length < calls;
    const marks = { term: 1, mode_version: 1, epoch: 1 };
    const quarantined = { instructions: 1, renewal_jobs: 0, commands: 0 };
    return { restored: true, d1: marks, objects: marks, quarantined, more, summary: 'quarantined' };
  });
  const finish = () => finishRestore(world.deps.connect('http://edge', 'secret'), root, () => undefined);
  return { mark, calls: world.calls, finish };
}

describe('the first start after a restore', () => {
  it('quarantines until nothing is left, once', async () => {
    const { mark, calls, finish } = restoredRoot(3);
    await finish();
    await finish();
    expect(calls.map(({ body }) => body)).toEqual([{ force: true }, {}, {}]);
    expect(existsSync(mark)).toBe(false);
  });

  it('keeps its mark and does not continue while something is left', async () => {
    const { mark, finish } = restoredRoot(Number.POSITIVE_INFINITY);
    await expect(finish()).rejects.toThrow('start it again, which continues');
    expect(existsSync(mark)).toBe(true);
  });
});
