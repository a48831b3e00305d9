/** Folders whose modes a program has changed, such as those of Go, for a user who is not root. */
import { spawnSync } from 'node:child_process';
import { chmodSync, chownSync, existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { tempDir } from '../../../support/temp-dir.ts';

const IS_ROOT = process.getuid?.() === 0;
const NOBODY = 65_534;
const REMOVE_TREE = join(import.meta.dirname, '../../../../local-agent/host/remove-tree.ts');
const FOLDER_SIZE = join(import.meta.dirname, '../../../../local-agent/host/folder-size.ts');
const MEASURE =
  'const { folderBytes } = await import(process.argv[1]); console.log(await folderBytes(process.argv[2]));';
const CODE = `const { removeTree } = await import(process.argv[1]); await removeTree(process.argv[2]);`;

/** Runs a program, as another user when this one is root, for whom nothing is read-only. */
function runNode(...args: string[]) {
  const as = IS_ROOT ? { uid: NOBODY, gid: NOBODY } : {};
  return spawnSync(process.execPath, ['--input-type=module', '-e', ...args], { ...as, cwd: '/', encoding: 'utf8' });
}

const canRun = runNode('await import(process.argv[1])', REMOVE_TREE).status === 0;

/** A tree with files two folders deep, of the user who runs the programs. */
function openTree(count: number) {
  const root = tempDir();
  const tree = join(root, 'tree');
  const outer = join(tree, 'a');
  const inner = join(outer, 'b');
  mkdirSync(inner, { recursive: true });
  const files = Array.from({ length: count }, (_, n) => join(inner, `${n}`));
  for (const path of files) writeFileSync(path, 'x'.repeat(5_000));
  if (IS_ROOT) for (const path of [root, tree, outer, inner, ...files]) chownSync(path, NOBODY, NOBODY);
  return { tree, outer, inner };
}

it.skipIf(!canRun).each([1, 40])('a tree of read-only folders is removed, with %d files in them', (count) => {
  const { tree, outer, inner } = openTree(count);
  for (const path of [inner, outer]) chmodSync(path, 0o555);
  const { stderr, status } = runNode(CODE, REMOVE_TREE, tree);
  expect(stderr).not.toContain('EACCES');
  expect(status).toBe(0);
  expect(existsSync(tree)).toBe(false);
});

it.skipIf(!canRun).each([
  ['whose files may not be looked at', 0o444],
  ['that may not be read', 0o000],
])('a folder %s is measured without it', (_what, mode) => {
  const { tree, inner } = openTree(40);
  chmodSync(inner, mode);
  const { stdout, status } = runNode(MEASURE, FOLDER_SIZE, tree);
  chmodSync(inner, 0o755);
  expect(status).toBe(0);
  expect(Number(stdout)).toBeLessThan(40 * 5_000);
});
