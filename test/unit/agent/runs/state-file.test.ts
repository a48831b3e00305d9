import { existsSync, readdirSync, readFileSync, renameSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { createRunFolder } from '../../../../local-agent/runs/run-folder.ts';
import { readState, StateFile, statePath } from '../../../../local-agent/runs/state-file.ts';
import { runMeta } from '../../../support/run-builders.ts';
import { tempDir } from '../../../support/temp-dir.ts';
import { TestClock } from '../../../support/test-clock.ts';

function openState() {
  const clock = new TestClock(1_700_000_000_000);
  const folder = createRunFolder(tempDir(), runMeta());
  const before = readState(folder);
  if (before === null) throw new Error('the run was not prepared');
  return { clock, folder, file: new StateFile(folder, before, clock), read: () => readState(folder) };
}

describe('state.json', () => {
  it('has a transition at once', () => {
    const { file, read } = openState();
    file.transition({ status: 'running', pid: 7 });
    expect(read()).toMatchObject({ status: 'running', pid: 7 });
    file.transition({ status: 'failed', exit_code: 1 });
    expect(read()).toMatchObject({ status: 'failed', exit_code: 1 });
  });

  it('is written at most every 250 ms by other changes, and then has the last one', () => {
    const { file, read, clock } = openState();
    for (let n = 1; n <= 100; n++) file.update({ summary: `line ${n}` });
    expect(read()?.summary).toBe('line 1');
    clock.advance(249);
    expect(read()?.summary).toBe('line 1');
    clock.advance(1);
    expect(read()?.summary).toBe('line 100');
  });

  it('that cannot be written when a change is due is written with the next one, which reports a fault', () => {
    const { file, folder, read, clock } = openState();
    file.update({ summary: 'one' });
    file.update({ summary: 'two' });
    renameSync(folder, `${folder}-away`);
    expect(() => clock.advance(250)).not.toThrow();
    expect(() => file.update({ summary: 'three' })).toThrow('ENOENT');
    renameSync(`${folder}-away`, folder);
    file.update({ pid: 7 });
    expect(read()).toMatchObject({ summary: 'three', pid: 7 });
  });

  it('has what waited when it is closed', () => {
    const { file, read } = openState();
    file.update({ summary: 'one' });
    file.update({ summary: 'two' });
    file.close();
    expect(read()?.summary).toBe('two');
  });

  it('is not written again after a transition took the change along', () => {
    const { file, folder, clock } = openState();
    file.update({ summary: 'one' });
    file.update({ summary: 'two' });
    file.transition({ status: 'succeeded' });
    const text = readFileSync(statePath(folder), 'utf8');
    clock.advance(1_000);
    expect(readFileSync(statePath(folder), 'utf8')).toBe(text);
    expect(JSON.parse(text)).toMatchObject({ status: 'succeeded', summary: 'two' });
  });
});

describe('the terminal state on a full disk', () => {
  it.runIf(existsSync('/dev/full'))('is written into the room that was taken for it, with shorter texts', () => {
    const { file, folder } = openState();
    symlinkSync('/dev/full', join(folder, 'state.json.new'));
    expect(() => file.transition({ status: 'running' })).toThrow('ENOSPC');
    file.end({ status: 'failed', error_code: 'disk_fault', error_text: 'x'.repeat(10_000) });
    expect(readState(folder)).toMatchObject({
      status: 'failed',
      error_code: 'disk_fault',
      error_text: expect.stringMatching(/^x+$/),
    });
  });

  it('needs no room any more where the disk takes it', () => {
    const { file, folder } = openState();
    file.end({ status: 'succeeded' });
    expect(readdirSync(folder).filter((name) => name.includes('room'))).toEqual([]);
  });
});
