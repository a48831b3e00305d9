import { mkdirSync, readdirSync, renameSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { withFolder } from '../../../../local-agent/host/place.ts';
import { readFileSlice } from '../../../../local-agent/host/read-file.ts';
import type { Roots } from '../../../../local-agent/host/roots.ts';
import { writeWholeFile } from '../../../../local-agent/host/write-file.ts';
import { fileErrorOf, useWorkspace } from './workspace.ts';

const workspace = useWorkspace();

describe('working in a folder', () => {
  it('the given path names that very folder, and a folder outside the roots is refused', async () => {
    const { root, outside, roots } = workspace;
    writeFileSync(join(root, 'a'), 'A');
    expect(await withFolder(roots, root, async (path) => readdirSync(path))).toEqual(['a']);
    await expect(withFolder(roots, outside, async () => 'ran')).rejects.toMatchObject({ code: 'path_outside_roots' });
  });
});

describe.runIf(process.platform === 'linux')('a parent folder that is swapped for a link before it is opened', () => {
  /** Roots that admit a path correctly; right after that the folder `way` is swapped for a link. */
  function swappingRoots(): Roots {
    const { root, outside, roots } = workspace;
    mkdirSync(join(root, 'way', 'inner'), { recursive: true });
    mkdirSync(join(outside, 'inner'));
    writeFileSync(join(root, 'way', 'inner', 'secret'), 'mine');
    writeFileSync(join(outside, 'inner', 'secret'), 'secret');
    let isSwapped = false;
    return {
      ...roots,
      admit(path) {
        roots.admit(path);
        if (isSwapped) return;
        isSwapped = true;
        renameSync(join(root, 'way'), join(root, 'moved'));
        symlinkSync(outside, join(root, 'way'));
      },
    };
  }

  it('a file is not read through the link', () => {
    const roots = swappingRoots();
    const path = roots.resolve('way/inner/secret');
    expect(fileErrorOf(() => readFileSlice(roots, path, { offset: 0, length: 9 }))).toBe('path_outside_roots');
  });

  it('a program does not run in the linked folder', async () => {
    const roots = swappingRoots();
    const working = withFolder(roots, roots.resolve('way/inner'), async () => 'ran');
    await expect(working).rejects.toMatchObject({ code: 'path_outside_roots' });
  });

  it('a file is not written through the link', () => {
    const roots = swappingRoots();
    const options = { overwrite: false, createParents: false, temporary: '.temporary' };
    const write = () => writeWholeFile(roots, roots.resolve('way/inner/new'), Buffer.from('new'), options);
    expect(fileErrorOf(write)).toBe('path_outside_roots');
    expect(readdirSync(join(workspace.outside, 'inner'))).toEqual(['secret']);
  });
});
