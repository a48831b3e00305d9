/** Steps in a repository whose remotes and links are unusual. */
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, it } from 'vitest';
import { newRepo, runGit } from '../../../support/git-repo.ts';
import { openRunsScene } from '../../../support/runs-scene.ts';
import { tempDir } from '../../../support/temp-dir.ts';

const worktree = { repo: 'app', base_ref: 'main', base_sha: null, branch_name: 'conductor/x' };

it('a push reaches a remote whose address is relative to the repository', async () => {
  const { offer, open, ended } = await openRunsScene();
  const repo = newRepo();
  const remote = join(dirname(repo), 'remote.git');
  runGit(repo, 'init', '--quiet', '--bare', remote);
  runGit(repo, 'remote', 'add', 'origin', '../remote.git');
  const claim = offer({
    kind: 'git',
    input: { action: 'push' },
    worktree: { ...worktree, patch_checkpoint_id: null },
  });
  open({ repos: { app: repo } });
  expect((await ended(claim)).end).toMatchObject({ status: 'succeeded', summary: 'pushed conductor/x' });
  expect(runGit(remote, 'rev-parse', 'conductor/x')).toBe(runGit(repo, 'rev-parse', 'main'));
});

it('a step does not run where a link of the repository leads out of its worktree', async () => {
  const { offer, open, ended } = await openRunsScene();
  const repo = newRepo();
  mkdirSync(join(repo, 'inside'));
  writeFileSync(join(repo, 'inside', 'file'), '');
  symlinkSync(tempDir(), join(repo, 'out'));
  symlinkSync('inside', join(repo, 'in'));
  runGit(repo, 'add', '-A');
  runGit(repo, 'commit', '--quiet', '--allow-empty', '-m', 'links');
  const offers = ['out', 'in'].map((cwd) => {
    return offer({
      input: { script: 'ls', cwd },
      worktree: { ...worktree, branch_name: `conductor/${cwd}`, patch_checkpoint_id: null },
    });
  });
  open({ repos: { app: repo } });
  const [out, inside] = await Promise.all(offers.map(ended));
  expect(out?.end).toMatchObject({
    status: 'failed',
    error_code: 'folder_not_found',
    error_text: expect.stringContaining('leads out of the folder of the task'),
  });
  expect(inside?.end).toMatchObject({ status: 'succeeded', summary: 'file' });
});
