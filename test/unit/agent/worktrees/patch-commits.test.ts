import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { writeGitDiff } from '../../../../local-agent/checkpoints/git-diff.ts';
import { appendCommits, splitPatch } from '../../../../local-agent/worktrees/patch-commits.ts';
import { COMMITS_LINE, diffOf } from '../../../../schema/domain/patch-commits.ts';
import { gitContext, newRepo, runGit } from '../../../support/git-repo.ts';
import { tempDir } from '../../../support/temp-dir.ts';

const BYTES = Buffer.from(Array.from({ length: 512 }, (_, n) => n % 256));

/** A repository with a commit behind the base, beside which a file has changed. */
function openWork() {
  const worktree = newRepo();
  const baseSha = runGit(worktree, 'rev-parse', 'HEAD');
  const file = join(tempDir(), 'patch');
  const commit = () => {
    writeFileSync(join(worktree, 'image.bin'), BYTES);
    runGit(worktree, 'add', '-A');
    runGit(worktree, 'commit', '--quiet', '-m', 'An image');
    writeFileSync(join(worktree, 'new.txt'), 'new\n');
    return runGit(worktree, 'rev-parse', 'HEAD');
  };
  const save = async (maxBytes = 1024 * 1024) => {
    await writeGitDiff({ worktree, baseSha, file }, gitContext());
    await appendCommits({ worktree, baseSha, file, maxBytes }, gitContext());
    return readFileSync(file);
  };
  return { worktree, baseSha, file, commit, save };
}

describe('a patch of a worktree with commits', () => {
  it('has them at its end, where git apply does not mind them', async () => {
    const { worktree, baseSha, file, commit, save } = openWork();
    const head = commit();
    const { diff, commits } = splitPatch(await save());
    expect(commits?.head).toBe(head);
    expect(diff.toString()).not.toMatch(/^#/m);
    const other = join(tempDir(), 'other');
    runGit(worktree, 'clone', '--quiet', worktree, other);
    runGit(other, 'checkout', '--quiet', baseSha);
    runGit(other, 'apply', '--binary', file);
    expect(readFileSync(join(other, 'image.bin'))).toEqual(BYTES);
    expect(readFileSync(join(other, 'new.txt'), 'utf8')).toBe('new\n');
  });

  it('is the same bytes as long as nothing changes, so that it is not saved again', async () => {
    const { commit, save } = openWork();
    commit();
    expect(await save()).toEqual(await save());
  });

  it('names the newest one alone where they would make it too large', async () => {
    const { commit, save } = openWork();
    const head = commit();
    const whole = await save();
    expect(splitPatch(await save(whole.length)).commits?.bundle).not.toBeNull();
    expect(splitPatch(await save(whole.length - 1)).commits).toEqual({ head, bundle: null });
  });

  it('is shown to a person without them', async () => {
    const { commit, save } = openWork();
    commit();
    const patch = await save();
    expect(diffOf(patch.toString())).toBe(splitPatch(patch).diff.toString());
  });
});

describe('a patch that names something else than a commit', () => {
  it.each(['--output=x', 'main', 'a'.repeat(41), `${'a'.repeat(40)} b`])('%s has no commits', (head) => {
    const patch = Buffer.from(`diff\n${COMMITS_LINE}# head ${head}\n# YQ==\n`);
    expect(splitPatch(patch)).toEqual({ diff: Buffer.from('diff\n'), commits: null });
  });
});

describe('a patch of a worktree without commits', () => {
  it('stays as git wrote it', async () => {
    const { worktree, save } = openWork();
    writeFileSync(join(worktree, 'new.txt'), '# The commits of this work\n');
    const patch = await save();
    expect(splitPatch(patch)).toEqual({ diff: patch, commits: null });
    expect(diffOf(patch.toString())).toBe(patch.toString());
  });
});
