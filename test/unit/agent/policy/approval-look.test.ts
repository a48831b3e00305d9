/** What an approval knows of folders is looked up once in a turn, and never taken over into the next one. */
import { mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readFileSlice } from '../../../../local-agent/host/read-file.ts';
import type { Roots } from '../../../../local-agent/host/roots.ts';
import type { Turns } from '../../../../local-agent/lib/turns.ts';
import { approvalInTurns, approvalOf } from '../../../../local-agent/policy/approval.ts';
import { fileErrorOf, useWorkspace } from '../host/workspace.ts';

const workspace = useWorkspace();

function put(path: string, text = 'text'): void {
  mkdirSync(dirname(join(workspace.root, path)), { recursive: true });
  writeFileSync(join(workspace.root, path), text);
}

const call = (names: readonly string[]) => ['conductor::exec', { argv: ['cat', ...names] }] as const;

/** The approval, with something that happens between the turns of the second and the third name. */
async function describeWhile(names: readonly string[], happen: () => void) {
  let turn = 0;
  const pass = async () => {
    turn += 1;
    if (turn === 3) happen();
  };
  return await approvalInTurns(...call(names), workspace.roots, { due: true, pass } as unknown as Turns);
}

describe('an approval that is described in turns', () => {
  it('finds a file where a link leads in its own turn', async () => {
    put('one/a');
    put('one/b');
    put('two/b');
    symlinkSync('one', join(workspace.root, 'link'));
    const { file_hashes } = await describeWhile(['link/a', 'link/b'], () => {
      rmSync(join(workspace.root, 'link'));
      symlinkSync('two', join(workspace.root, 'link'));
    });
    expect(Object.keys(file_hashes)).toEqual([join(workspace.root, 'one/a'), join(workspace.root, 'two/b')]);
  });

  it('does not read in a folder that has become a Git directory since the last turn', async () => {
    put('folder/a');
    put('folder/b');
    const { display, file_hashes } = await describeWhile(['folder/a', 'folder/b'], () => {
      for (const name of ['HEAD', 'objects/x', 'refs/x']) put(`folder/${name}`);
    });
    expect(Object.keys(file_hashes)).toEqual([join(workspace.root, 'folder/a')]);
    expect(display).toContain(`Not bound: ${join(workspace.root, 'folder/b')} belongs to Git`);
  });
});

describe('an approval that is described in one turn', () => {
  it('follows a link that is the last name of a path', () => {
    put('one/a');
    symlinkSync('one/a', join(workspace.root, 'link'));
    const { file_hashes } = approvalOf(...call(['link']), workspace.roots);
    expect(Object.keys(file_hashes)).toEqual([join(workspace.root, 'one/a')]);
  });

  it('does not read in a Git directory, however many of its files are named', () => {
    for (const name of ['a', 'HEAD', 'objects/x', 'refs/x']) put(`folder/${name}`);
    const { file_hashes } = approvalOf(...call(['folder/a', 'folder/objects/x', 'folder/refs/x']), workspace.roots);
    expect(file_hashes).toEqual({});
  });
});

it.runIf(process.platform === 'linux')(
  'a file is not read when its folder is swapped for a link to another one',
  () => {
    put('way/file', 'mine');
    put('other/file', 'swapped');
    const { root, roots } = workspace;
    let isSwapped = false;
    const swapping: Roots = {
      ...roots,
      admit(path) {
        roots.admit(path);
        if (isSwapped) return;
        isSwapped = true;
        renameSync(join(root, 'way'), join(root, 'moved'));
        symlinkSync('other', join(root, 'way'));
      },
    };
    const read = () => readFileSlice(swapping, join(root, 'way/file'), { offset: 0, length: 9 });
    expect(fileErrorOf(read)).toBe('changed');
  },
);
