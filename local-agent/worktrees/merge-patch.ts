/**
 * The work of a patch on a branch that has commits beyond it, as after a host that died before its next checkpoint: the
 * commits have a part of that work, perhaps changed since, and the patch alone has what was never committed. A file that both
 * have changed is that of the commits: they are newer, and lines of the patch may have been taken out again since.
 */
import { rmSync } from 'node:fs';
import type { GitContext } from './git-command.ts';
import { git } from './git-command.ts';

interface Merge {
  /** A fresh worktree at `tip`. */
  path: string;
  base: string;
  /** The commit at which the patch was made. */
  patched: string;
  tip: string;
  /** From the base commit; null when it changes nothing. */
  patchFile: string | null;
}

/**
 * Puts what the patch has beyond its commits into the worktree. Returns the files of which the commits have another content.
 *
 * @throws GitError
 */
export async function mergePatch(
  { path, base, patched, tip, patchFile }: Merge,
  context: GitContext,
): Promise<string[]> {
  const index = `${path}.index`;
  const options = { env: { GIT_INDEX_FILE: index } };
  const apply = ['apply', '--cached', '--binary', '--whitespace=nowarn', '--'];
  try {
    await git(path, ['read-tree', base], context, options);
    if (patchFile !== null) await git(path, [...apply, patchFile], context, options);
    const work = (await git(path, ['write-tree'], context, options)).trim();
    await git(path, ['read-tree', '-m', '-u', '--aggressive', patched, tip, work], context);
    const unmerged = await git(path, ['diff', '--name-only', '--diff-filter=U', '-z'], context);
    await git(path, ['reset', '--quiet', '--mixed'], context);
    return unmerged.split('\0').filter((name) => name !== '');
  } finally {
    rmSync(index, { force: true });
  }
}
