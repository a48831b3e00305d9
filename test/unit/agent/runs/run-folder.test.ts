import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { completeLog, eventLine, readEvents, runEvent } from '../../../../local-agent/runs/events.ts';
import {
  createRunFolder,
  listRunFolders,
  readMeta,
  removeUnfinished,
} from '../../../../local-agent/runs/run-folder.ts';
import { runFolderPath } from '../../../../local-agent/runs/run-paths.ts';
import { readState } from '../../../../local-agent/runs/state-file.ts';
import { RUN_ID, runMeta, TASK_ID } from '../../../support/run-builders.ts';
import { tempDir } from '../../../support/temp-dir.ts';

const lines = (path: string) => readFileSync(path, 'utf8').trimEnd().split('\n');

describe('the preparation of a run', () => {
  it('leaves every file that the specification names', () => {
    const runsDir = tempDir();
    const folder = createRunFolder(runsDir, runMeta());
    expect(folder).toBe(join(runsDir, TASK_ID, RUN_ID));
    const names = ['artifacts', 'checkpoints', 'events.jsonl', 'meta.json', 'state.json'];
    expect(readdirSync(folder).sort()).toEqual([
      '.state.json.room',
      ...names,
      'stderr.log',
      'stdout.log',
      'worker.log',
    ]);
    expect(readMeta(folder)).toEqual(runMeta());
    expect(readState(folder)).toMatchObject({ run_id: RUN_ID, status: 'prepared', checkpoint_seq: 1, pid: null });
    expect(statSync(join(folder, 'stdout.log')).size + statSync(join(folder, 'stderr.log')).size).toBe(0);
  });

  it('writes the checkpoint 0001-summary.json and logs both events', () => {
    const folder = createRunFolder(tempDir(), runMeta());
    expect(readdirSync(join(folder, 'checkpoints'))).toEqual(['0001-summary.json']);
    const summary = JSON.parse(readFileSync(join(folder, 'checkpoints/0001-summary.json'), 'utf8'));
    expect(summary).toMatchObject({ run_id: RUN_ID, seq: 1, status: 'prepared' });
    expect(readEvents(folder).map(({ type }) => type)).toEqual(['run_prepared', 'checkpoint_slot_reserved']);
    expect(lines(join(folder, 'worker.log'))[0]).toMatch(/^\d{4}-\d\d-\d\dT\S+Z info run_prepared /);
    expect(lines(join(folder, 'worker.log'))[1]).toContain(' info checkpoint_slot_reserved ');
  });

  it('leaves a folder alone that an earlier agent has prepared', () => {
    const runsDir = tempDir();
    const folder = createRunFolder(runsDir, runMeta());
    writeFileSync(join(folder, 'stdout.log'), 'output');
    expect(createRunFolder(runsDir, runMeta({ created_at: 5 }))).toBe(folder);
    expect(readFileSync(join(folder, 'stdout.log'), 'utf8')).toBe('output');
  });

  it('that was cut off leaves no run behind', () => {
    const runsDir = tempDir();
    const half = join(runsDir, TASK_ID, `.${RUN_ID}.new`);
    mkdirSync(half, { recursive: true });
    writeFileSync(join(half, 'meta.json'), '{"run_');
    expect(listRunFolders(runsDir)).toEqual([]);
    removeUnfinished(runsDir, TASK_ID);
    expect(existsSync(half)).toBe(false);
  });

  it('that fails leaves no folder of the run, and says why', () => {
    const runsDir = join(tempDir(), 'runs');
    writeFileSync(runsDir, 'a file is where the folder has to be');
    expect(() => createRunFolder(runsDir, runMeta())).toThrow(/cannot be made.*a file is where a folder has to be/);
  });
});

describe('the list of runs on the disk', () => {
  it('has every prepared run', () => {
    const runsDir = tempDir();
    createRunFolder(runsDir, runMeta());
    expect(listRunFolders(runsDir)).toEqual([{ task_id: TASK_ID, run_id: RUN_ID }]);
    expect(runFolderPath(runsDir, { task_id: TASK_ID, run_id: RUN_ID })).toBe(join(runsDir, TASK_ID, RUN_ID));
  });

  it('is empty without a folder of runs', () => {
    expect(listRunFolders(join(tempDir(), 'none'))).toEqual([]);
  });
});

describe('the events of a run', () => {
  it('are one line each, for messages of any content', () => {
    const line = eventLine(runEvent('step_failed', 0, 'first\nsecond', { exit_code: 3 }));
    expect(line).toBe('1970-01-01T00:00:00.000Z error step_failed first second {"exit_code":3}\n');
  });

  it('that a killed agent wrote into events.jsonl only are added to worker.log', () => {
    const folder = createRunFolder(tempDir(), runMeta());
    const path = join(folder, 'worker.log');
    const whole = readFileSync(path, 'utf8');
    writeFileSync(path, `${lines(path)[0]}\n`);
    completeLog(folder);
    completeLog(folder);
    expect(readFileSync(path, 'utf8')).toBe(whole);
  });
});
