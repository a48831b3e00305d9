import { chmodSync, existsSync, mkdirSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { folderBytes } from '../../../../local-agent/host/folder-size.ts';
import { moveAside, removeMovedAside, removeTree } from '../../../../local-agent/host/remove-tree.ts';
import { tempDir } from '../../../support/temp-dir.ts';

/** A folder with files, a folder in a folder, and a link out of it. */
function someTree(root: string): { tree: string; kept: string } {
  const tree = join(root, 'tree');
  const kept = join(root, 'kept');
  mkdirSync(join(tree, 'a', 'b'), { recursive: true });
  mkdirSync(kept);
  for (let n = 0; n < 100; n++) writeFileSync(join(tree, 'a', `${n}`), 'x'.repeat(5_000));
  writeFileSync(join(kept, 'file'), '');
  symlinkSync(kept, join(tree, 'a', 'b', 'link'));
  return { tree, kept };
}

describe('a folder that is removed', () => {
  it('is gone with everything in it; what its links lead to stays', async () => {
    const root = tempDir();
    const { tree, kept } = someTree(root);
    await removeTree(tree);
    expect(readdirSync(root)).toEqual(['kept']);
    expect(readdirSync(kept)).toEqual(['file']);
  });

  it('may have folders that are read-only', async () => {
    const { tree } = someTree(tempDir());
    chmodSync(join(tree, 'a'), 0o555);
    await removeTree(tree);
    expect(existsSync(tree)).toBe(false);
  });

  it('that does not exist is no error', async () => {
    await removeTree(join(tempDir(), 'none'));
    await removeMovedAside(join(tempDir(), 'none'));
  });

  it('loses its name at once, and a later agent removes what is left', async () => {
    const root = tempDir();
    const { tree } = someTree(root);
    moveAside(tree);
    expect(existsSync(tree)).toBe(false);
    await removeMovedAside(root);
    expect(readdirSync(root)).toEqual(['kept']);
  });
});

describe('the size of a folder', () => {
  it('is what its files take on the disk, without what its links lead to', async () => {
    const { tree } = someTree(tempDir());
    const bytes = await folderBytes(tree);
    expect(bytes).toBeGreaterThanOrEqual(100 * 5_000);
    expect(bytes).toBeLessThan(100 * 5_000 * 3);
  });

  it('is zero without a folder', async () => {
    expect(await folderBytes(join(tempDir(), 'none'))).toBe(0);
  });
});
