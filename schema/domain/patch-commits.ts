/**
 * The part at the end of a patch that has the commits of a task for another host (local-agent/worktrees/patch-commits.ts).
 * Each line of it begins with `#`, which no line of a diff does, so `git apply` skips it.
 */
export const COMMITS_LINE = '# The commits of this work, for another host. git apply skips these lines.\n';

/** Where that part begins; -1 when there is none. */
export function commitsStart(patch: string): number {
  const at = patch.lastIndexOf(COMMITS_LINE);
  return at === 0 || patch[at - 1] === '\n' ? at : -1;
}

/** The patch without that part, for a person. */
export function diffOf(patch: string): string {
  const at = commitsStart(patch);
  return at < 0 ? patch : patch.slice(0, at);
}
