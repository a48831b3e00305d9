import { describe, expect, it } from 'vitest';
import type { TipFacts } from '../../../../local-agent/worktrees/branch-tip.ts';
import { chooseTip, isTasksOwn } from '../../../../local-agent/worktrees/branch-tip.ts';
import type { Fill } from '../../../../local-agent/worktrees/worktree.ts';
import { createWorktree } from '../../../../local-agent/worktrees/worktree.ts';
import { gitContext, newRepo, runGit } from '../../../support/git-repo.ts';
import { tempDir } from '../../../support/temp-dir.ts';

const facts = (over: Partial<TipFacts> = {}): TipFacts => ({
  base: 'base',
  branch: null,
  patched: null,
  order: 'same',
  hasPatch: true,
  hasWorkedHere: false,
  ...over,
});

describe('the branch of a task in a fresh worktree', () => {
  it.each([
    ['begins at the base commit', {}, { sha: 'base', files: 'patch' }],
    ['keeps its commits where it lacks those of the patch', { branch: 'b' }, { sha: 'b', files: 'patch' }],
    [
      'keeps its commits without a patch, with their files',
      { branch: 'b', hasPatch: false },
      { sha: 'b', files: 'tip' },
    ],
    ['takes the commits of another host', { patched: 'p' }, { sha: 'p', files: 'patch' }],
    [
      'follows the commits of another host',
      { branch: 'b', patched: 'p', order: 'patch_newer' },
      { sha: 'p', files: 'patch' },
    ],
    [
      'keeps what it has beyond the patch, with the files of both',
      { branch: 'b', patched: 'p', order: 'branch_newer' },
      { sha: 'b', files: 'both' },
    ],
    [
      'takes those of the patch, which a lost attempt here has left behind',
      { branch: 'b', patched: 'p', order: 'apart' },
      { sha: 'p', files: 'patch' },
    ],
  ] as const)('%s', (_what, over, tip) => {
    expect(chooseTip(facts(over))).toEqual(tip);
  });

  it.each([
    [true, { branch: 'base' }],
    [true, { branch: 'b', patched: 'p', order: 'patch_newer' }],
    [false, { branch: 'b' }],
    [true, { branch: 'b', hasWorkedHere: true }],
    [false, { branch: null, hasWorkedHere: true }],
    [false, { branch: 'b', patched: 'p', order: 'apart', hasWorkedHere: true }],
    [true, { branch: 'b', patched: 'base', order: 'branch_newer', hasWorkedHere: true }],
    [false, { branch: 'b', patched: 'base', order: 'branch_newer' }],
    [false, { branch: null }],
    [false, { branch: 'b', patched: 'p', order: 'apart' }],
  ] as const)('with a name that a person chose is the task’s: %s for %j', (isOwn, over) => {
    expect(isTasksOwn(facts(over))).toBe(isOwn);
  });

  it('gets the work of an older patch on its newest commit', async () => {
    const repo = newRepo();
    const request = {
      repo,
      path: `${tempDir()}/task`,
      branch: 'conductor/x',
      baseSha: runGit(repo, 'rev-parse', 'HEAD'),
    };
    await createWorktree(request, gitContext());
    runGit(request.path, 'commit', '--quiet', '--allow-empty', '-m', 'one');
    const head = runGit(request.path, 'rev-parse', 'HEAD');
    runGit(request.path, 'commit', '--quiet', '--allow-empty', '-m', 'two');
    const tip = runGit(request.path, 'rev-parse', 'HEAD');
    const filled: Parameters<Fill>[0][] = [];
    await createWorktree({ ...request, head }, gitContext(), async (newer) => void filled.push(newer));
    await createWorktree(request, gitContext(), async (newer) => void filled.push(newer));
    expect(runGit(request.path, 'log', '-1', '--format=%s')).toBe('two');
    expect(filled).toEqual([
      { patched: head, tip },
      { patched: request.baseSha, tip },
    ]);
  });
});
