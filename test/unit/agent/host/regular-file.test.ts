import { execFileSync } from 'node:child_process';
import { symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { findRepository } from '../../../../local-agent/host/git-repository.ts';
import { readRegularFile } from '../../../../local-agent/host/regular-file.ts';
import { tempDir } from '../../../support/temp-dir.ts';

const MAX = 16;

describe('a file that a program may have replaced', () => {
  it('is read when it is a regular one of the allowed size', () => {
    const path = join(tempDir(), 'file');
    writeFileSync(path, 'text');
    expect(readRegularFile(path, MAX)?.toString()).toBe('text');
    writeFileSync(path, 'x'.repeat(MAX + 1));
    expect(readRegularFile(path, MAX)).toBeNull();
  });

  it('is nothing when it is a pipe, a device or a folder, and no writer is waited for', () => {
    const folder = tempDir();
    execFileSync('sh', ['-c', 'mkfifo "$0"', join(folder, 'pipe')]);
    symlinkSync('/dev/zero', join(folder, 'zeros'));
    for (const name of ['pipe', 'zeros', '.', 'missing']) expect(readRegularFile(join(folder, name), MAX)).toBeNull();
  });

  it('does not stop the search for a repository', () => {
    const folder = tempDir();
    execFileSync('sh', ['-c', 'mkfifo "$0"', join(folder, '.git')]);
    expect(findRepository(folder)).toEqual({ directory: join(folder, '.git'), workTree: folder });
  });
});
