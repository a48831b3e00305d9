import { execFileSync } from 'node:child_process';
import {
  existsSync,
  linkSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Roots } from '../../../../local-agent/host/roots.ts';
import { openRoots } from '../../../../local-agent/host/roots.ts';
import type { Keep } from '../../../../local-agent/host/write-file.ts';
import { writeWholeFile } from '../../../../local-agent/host/write-file.ts';
import { fileErrorOf, useWorkspace } from './workspace.ts';

const workspace = useWorkspace();

function write(
  path: string,
  options: { overwrite?: boolean; createParents?: boolean; keep?: Keep } = {},
  roots: Roots = workspace.roots,
) {
  return writeWholeFile(roots, roots.resolve(path), Buffer.from('new'), {
    overwrite: false,
    createParents: false,
    temporary: '.temporary',
    ...options,
  });
}

describe('writing a file', () => {
  it('a new file is written whole and nothing else is left', () => {
    const { root } = workspace;
    expect(write('a')).toEqual({ replaced: false, path: join(root, 'a'), size: 3 });
    expect(readdirSync(root)).toEqual(['a']);
    expect(readFileSync(join(root, 'a'), 'utf8')).toBe('new');
  });

  it('an existing file is replaced only with overwrite, and keeps its mode', () => {
    const { root } = workspace;
    writeFileSync(join(root, 'a'), 'old', { mode: 0o750 });
    expect(fileErrorOf(() => write('a'))).toBe('exists');
    expect(readFileSync(join(root, 'a'), 'utf8')).toBe('old');
    expect(write('a', { overwrite: true }).replaced).toBe(true);
    expect(statSync(join(root, 'a')).mode & 0o777).toBe(0o750);
    expect(readdirSync(root)).toEqual(['a']);
  });

  it('a file that somebody creates in the last moment is not replaced without overwrite', () => {
    const { root } = workspace;
    const createFirst: Keep = ({ path }) => writeFileSync(path, 'from another program');
    expect(fileErrorOf(() => write('a', { keep: createFirst }))).toBe('exists');
    expect(readFileSync(join(root, 'a'), 'utf8')).toBe('from another program');
    expect(readdirSync(root)).toEqual(['a']);
  });

  it('missing folders are made only when the caller allows it', () => {
    const { root } = workspace;
    expect(fileErrorOf(() => write('x/y/a'))).toBe('not_found');
    expect(existsSync(join(root, 'x'))).toBe(false);
    write('x/y/a', { createParents: true });
    expect(readFileSync(join(root, 'x/y/a'), 'utf8')).toBe('new');
  });

  it.each(['../outside/new', '/tmp/baa-new', 'folder-out/new', 'folder-out/x/new', 'link-out', 'dangling'])(
    'a path outside the roots is refused: %s',
    (path) => {
      const { root, outside } = workspace;
      symlinkSync(outside, join(root, 'folder-out'));
      symlinkSync(join(outside, 'secret'), join(root, 'link-out'));
      symlinkSync(join(outside, 'made'), join(root, 'dangling'));
      expect(fileErrorOf(() => write(path, { overwrite: true, createParents: true }))).toBe('path_outside_roots');
      expect(readdirSync(outside)).toEqual(['secret']);
      expect(readFileSync(join(outside, 'secret'), 'utf8')).toBe('secret');
    },
  );

  it('the file behind the other name of a hard link is left alone', () => {
    const { root, outside } = workspace;
    linkSync(join(outside, 'secret'), join(root, 'hard'));
    write('hard', { overwrite: true });
    expect(readFileSync(join(outside, 'secret'), 'utf8')).toBe('secret');
  });

  it('a FIFO and a folder are not replaced', () => {
    const { root } = workspace;
    execFileSync('sh', ['-c', 'mkfifo "$0"', join(root, 'fifo')]);
    mkdirSync(join(root, 'folder'));
    expect(fileErrorOf(() => write('fifo', { overwrite: true }))).toBe('not_a_file');
    expect(fileErrorOf(() => write('folder', { overwrite: true }))).toBe('not_a_file');
  });

  it("the agent's own files are protected, in any spelling of their case", () => {
    const { root } = workspace;
    mkdirSync(join(root, 'state'));
    const protecting = openRoots([root], [join(root, 'policy.json'), join(root, 'state')]);
    for (const path of ['policy.json', 'POLICY.json', 'state/agent.sqlite', 'state']) {
      expect(fileErrorOf(() => write(path, { overwrite: true }, protecting))).toBe('path_protected');
    }
  });

  it("the agent's own files are protected through a linked folder, before they exist", () => {
    const { base, root } = workspace;
    symlinkSync(root, join(base, 'linked'));
    const own = ['policy.json', 'state/new/file'].map((name) => join(base, 'linked', name));
    for (const through of [root, join(base, 'linked')]) {
      const protecting = openRoots([through], own);
      const policy = () => write(join(through, 'policy.json'), {}, protecting);
      const state = () => write(join(through, 'state/new/file'), { createParents: true }, protecting);
      expect([fileErrorOf(policy), fileErrorOf(state)]).toEqual(['path_protected', 'path_protected']);
    }
  });

  // The attack happens at the only moment that matters: after the path was admitted, before it is used.
  it.runIf(process.platform === 'linux')('the file goes to the admitted folder when its path is swapped', () => {
    const { root, outside, roots } = workspace;
    mkdirSync(join(root, 'folder'));
    let admissions = 0;
    const swapping: Roots = {
      ...roots,
      admit(path) {
        roots.admit(path);
        admissions += 1;
        if (admissions !== 3) return;
        renameSync(join(root, 'folder'), join(root, 'moved'));
        symlinkSync(outside, join(root, 'folder'));
      },
    };
    write('folder/new', { overwrite: true }, swapping);
    expect(readdirSync(outside)).toEqual(['secret']);
    expect(readFileSync(join(root, 'moved/new'), 'utf8')).toBe('new');
  });

  it.runIf(process.platform === 'linux')('a folder that is swapped for a link before it is opened is refused', () => {
    const { root, outside, roots } = workspace;
    mkdirSync(join(root, 'folder'));
    const swapping: Roots = {
      ...roots,
      admit(path) {
        roots.admit(path);
        if (path !== join(root, 'folder') || !existsSync(path)) return;
        rmSync(join(root, 'folder'), { recursive: true });
        symlinkSync(outside, join(root, 'folder'));
      },
    };
    expect(fileErrorOf(() => write('folder/new', { overwrite: true }, swapping))).not.toBe('done');
    expect(readdirSync(outside)).toEqual(['secret']);
  });
});
