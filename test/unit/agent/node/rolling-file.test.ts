import { existsSync, mkdirSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { describe, expect, it, onTestFinished } from 'vitest';
import { openLog } from '../../../../local-agent/log.ts';
import { RollingFile } from '../../../../local-agent/rolling-file.ts';
import { tempDir } from '../../../support/temp-dir.ts';
import { until } from '../../../support/until.ts';

/** Each write to it fails with ENOSPC, as on a full disk. */
const FULL_DISK = '/dev/full';
const KEPT_BYTES = 1024 * 1024;

async function openOn(dir: string) {
  const faults: string[] = [];
  const recovered: number[] = [];
  const file = await RollingFile.open({
    dir,
    name: 'agent',
    retryMs: 20,
    onFault: (message) => faults.push(message),
    onRecovered: (lost) => recovered.push(lost),
  });
  onTestFinished(() => file.close());
  return { file, faults, recovered };
}

describe.runIf(existsSync(FULL_DISK))('a log file on a full disk', () => {
  it('is reported once, keeps its newest lines and writes them when there is space', async () => {
    const dir = tempDir();
    const path = join(dir, 'agent.1.log');
    symlinkSync(FULL_DISK, path);
    const { file, faults, recovered } = await openOn(dir);
    file.write('first\n');
    await until(() => faults.length > 0);
    file.write('second\n');
    // Several attempts fail in this time.
    await setTimeout(100);
    expect(faults).toEqual([expect.stringMatching(/cannot be written: ENOSPC.*free space on that disk/)]);
    rmSync(path);
    await until(() => recovered.length > 0);
    expect(recovered).toEqual([0]);
    file.write('third\n');
    await file.close();
    expect(readFileSync(path, 'utf8')).toBe('first\nsecond\nthird\n');
  });

  it('counts the lines that are lost beyond the limit of what is kept', async () => {
    const dir = tempDir();
    const path = join(dir, 'agent.1.log');
    symlinkSync(FULL_DISK, path);
    const { file, faults, recovered } = await openOn(dir);
    const line = `${'x'.repeat(KEPT_BYTES / 4 - 1)}\n`;
    for (let count = 0; count < 10; count += 1) file.write(line);
    await until(() => faults.length > 0);
    rmSync(path);
    await until(() => recovered.length > 0);
    await file.close();
    expect(recovered).toEqual([6]);
    expect(readFileSync(path, 'utf8')).toBe(line.repeat(4));
  });

  it('does not delay the end of the agent', async () => {
    const dir = tempDir();
    symlinkSync(FULL_DISK, join(dir, 'agent.1.log'));
    const said: string[] = [];
    const log = await openLog({ dir, terminal: null, warn: (line) => said.push(line) });
    log.logger.info('a line');
    await log.close();
    log.logger.info('a line after the end');
    expect(said.length).toBeLessThanOrEqual(1);
  });
});

describe('a log file that cannot be opened', () => {
  it('is reported once, and is written after the cause has been removed', async () => {
    const dir = tempDir();
    const path = join(dir, 'agent.1.log');
    mkdirSync(path);
    const { file, faults, recovered } = await openOn(dir);
    await until(() => faults.length > 0);
    file.write('lost\n');
    expect(faults).toEqual([expect.stringMatching(/cannot be written: EISDIR/)]);
    rmSync(path, { recursive: true });
    await until(() => {
      file.write('kept\n');
      return recovered.length > 0;
    });
    expect(recovered[0]).toBeGreaterThanOrEqual(1);
    await file.close();
    expect(readFileSync(path, 'utf8')).toMatch(/^(kept\n)+$/);
  });
});
