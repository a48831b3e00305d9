import { execFileSync } from 'node:child_process';
import { linkSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readFileSlice } from '../../../../local-agent/host/read-file.ts';
import { fileErrorOf, useWorkspace } from './workspace.ts';

const workspace = useWorkspace();

function read(path: string): string {
  const { roots } = workspace;
  return readFileSlice(roots, roots.resolve(path), { offset: 0, length: 1_000 }).bytes.toString();
}

describe('reading a file', () => {
  it('a slice comes with the size of the whole file', () => {
    const { root, roots } = workspace;
    writeFileSync(join(root, 'a'), '0123456789');
    const slice = readFileSlice(roots, roots.resolve('a'), { offset: 2, length: 3 });
    expect([slice.bytes.toString(), slice.size]).toEqual(['234', 10]);
  });

  it('a link inside the roots is followed', () => {
    writeFileSync(join(workspace.root, 'a'), 'A');
    symlinkSync('a', join(workspace.root, 'link'));
    expect(read('link')).toBe('A');
  });

  it.each([
    ['a path that climbs out', '../outside/secret'],
    ['a missing path that climbs out', '../outside/nothing'],
    ['an absolute path', '/etc/hostname'],
    ['a device', '/dev/null'],
    ['the environment of a process', '/proc/self/environ'],
    ['a link to a file outside', 'link-out'],
    ['a file behind a link to a folder outside', 'folder-out/secret'],
    ['a link to nothing', 'dangling'],
  ])('%s is refused', (_what, path) => {
    const { root, outside } = workspace;
    symlinkSync(join(outside, 'secret'), join(root, 'link-out'));
    symlinkSync(outside, join(root, 'folder-out'));
    symlinkSync(join(outside, 'nothing'), join(root, 'dangling'));
    expect(fileErrorOf(() => read(path))).toBe('path_outside_roots');
  });

  it('a hard link is refused, since it may be the second name of a file outside', () => {
    linkSync(join(workspace.outside, 'secret'), join(workspace.root, 'hard'));
    expect(fileErrorOf(() => read('hard'))).toBe('hard_linked');
  });

  it('a FIFO is refused without waiting for its writer, and so is a folder', () => {
    execFileSync('sh', ['-c', 'mkfifo "$0"', join(workspace.root, 'fifo')]);
    mkdirSync(join(workspace.root, 'folder'));
    expect(fileErrorOf(() => read('fifo'))).toBe('not_a_file');
    expect(fileErrorOf(() => read('folder'))).toBe('not_a_file');
  });

  it.each([
    ['nothing', 'not_found'],
    ['a/b', 'not_a_directory'],
    ['a\0b', 'invalid_path'],
  ])('the error for the path %j is %s', (path, code) => {
    writeFileSync(join(workspace.root, 'a'), 'A');
    expect(fileErrorOf(() => read(path))).toBe(code);
  });
});
