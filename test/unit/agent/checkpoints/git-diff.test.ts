import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parseLfsPaths, parseRawDiff, writeGitDiff } from '../../../../local-agent/checkpoints/git-diff.ts';
import { GitError } from '../../../../local-agent/worktrees/git-command.ts';
import { applyPatch, createWorktree } from '../../../../local-agent/worktrees/worktree.ts';
import { gitContext, newRepo, runGit } from '../../../support/git-repo.ts';
import { tempDir } from '../../../support/temp-dir.ts';

const EVERY_BYTE = Buffer.from(Array.from({ length: 1024 }, (_, n) => n % 256));

function put(folder: string, path: string, content: string | Buffer, mode = 0o644): void {
  mkdirSync(dirname(join(folder, path)), { recursive: true });
  writeFileSync(join(folder, path), content, { mode });
}

/** Every file below a folder with its content and mode, without git's own. */
function filesIn(folder: string): Record<string, string> {
  const names = readdirSync(folder, { recursive: true, withFileTypes: true });
  const files = names.filter((entry) => !entry.isDirectory() && entry.name !== '.git');
  const rows = files.map((entry) => {
    const path = join(entry.parentPath, entry.name);
    const mode = (lstatSync(path).mode & 0o111) === 0 ? '-' : 'x';
    const content = entry.isSymbolicLink() ? `-> ${readlinkSync(path)}` : readFileSync(path).toString('base64');
    return [path.slice(folder.length), `${mode} ${content}`] as const;
  });
  return Object.fromEntries(rows.sort());
}

/** A worktree of a task in a repository with a few files, and a second one as another host makes it. */
async function openTask() {
  const repo = newRepo();
  put(repo, 'tracked.txt', 'one\ntwo\nthree\n');
  put(repo, 'removed.txt', 'gone\n');
  put(repo, 'moved.txt', 'this file gets another name\n'.repeat(20));
  put(repo, 'tool.sh', '#!/bin/sh\n', 0o644);
  put(repo, 'image.bin', EVERY_BYTE);
  put(repo, '.gitignore', 'ignored/\n');
  runGit(repo, 'add', '-A');
  runGit(repo, 'commit', '--quiet', '-m', 'files');
  const baseSha = runGit(repo, 'rev-parse', 'HEAD');
  const folder = tempDir();
  const worktree = join(folder, 'first');
  await createWorktree({ repo, path: worktree, branch: 'conductor/one', baseSha }, gitContext());
  const file = join(folder, 'patch');
  const diff = () => writeGitDiff({ worktree, baseSha, file }, gitContext());
  const replay = async () => {
    const other = join(folder, 'second');
    await createWorktree({ repo, path: other, branch: 'conductor/two', baseSha }, gitContext());
    await applyPatch(other, file, gitContext());
    return other;
  };
  return { repo, worktree, baseSha, file, diff, replay };
}

describe('the git_diff checkpoint', () => {
  it('restores tracked, untracked, binary, renamed, removed and executable files and links byte for byte', async () => {
    const { worktree, diff, replay } = await openTask();
    put(worktree, 'tracked.txt', 'one\r\nzwei \nthree');
    put(worktree, 'new/deep/ümläut "quoted" file.txt', 'untracked\n');
    put(worktree, 'new/empty', '');
    put(worktree, 'image.bin', Buffer.from(EVERY_BYTE).reverse());
    put(worktree, 'new.bin', Buffer.concat([EVERY_BYTE, EVERY_BYTE]));
    put(worktree, 'invalid-utf8.txt', Buffer.from([0xff, 0xfe, 0x0a]));
    rmSync(join(worktree, 'removed.txt'));
    renameSync(join(worktree, 'moved.txt'), join(worktree, 'renamed.txt'));
    chmodSync(join(worktree, 'tool.sh'), 0o755);
    symlinkSync('tracked.txt', join(worktree, 'link'));
    expect((await diff()).unsupported).toEqual([]);
    expect(filesIn(await replay())).toEqual(filesIn(worktree));
  });

  it('has what the step has committed', async () => {
    const { worktree, diff, replay } = await openTask();
    put(worktree, 'committed.txt', 'in a commit\n');
    runGit(worktree, 'add', '-A');
    runGit(worktree, 'commit', '--quiet', '-m', 'a step');
    put(worktree, 'tracked.txt', 'not in a commit\n');
    await diff();
    expect(filesIn(await replay())).toEqual(filesIn(worktree));
  });

  it('leaves the index of the worktree as the step left it, and no file of its own', async () => {
    const { worktree, diff, file } = await openTask();
    put(worktree, 'staged.txt', 'staged\n');
    runGit(worktree, 'add', 'staged.txt');
    put(worktree, 'untracked.txt', 'untracked\n');
    const before = runGit(worktree, 'status', '--porcelain');
    await diff();
    expect(runGit(worktree, 'status', '--porcelain')).toBe(before);
    expect(readdirSync(dirname(file)).sort()).toEqual(['first', 'patch']);
  });

  it('leaves nothing in the objects of the repository', async () => {
    const { repo, worktree, diff } = await openTask();
    put(worktree, 'tracked.txt', 'changed\n');
    put(worktree, 'untracked.txt', 'untracked\n');
    const before = runGit(repo, 'count-objects', '-v');
    expect((await diff()).bytes).toBeGreaterThan(0);
    expect(runGit(repo, 'count-objects', '-v')).toBe(before);
  });

  it('leaves out what the repository ignores', async () => {
    const { worktree, diff, replay } = await openTask();
    put(worktree, 'ignored/big.o', 'object\n');
    await diff();
    put(worktree, 'tracked.txt', 'changed\n');
    await diff();
    expect(existsSync(join(await replay(), 'ignored'))).toBe(false);
  });

  it('is empty when nothing has changed', async () => {
    const { diff } = await openTask();
    expect((await diff()).bytes).toBe(0);
  });

  it('names a repository inside the worktree, which a patch cannot carry', async () => {
    const { worktree, diff } = await openTask();
    newRepo(join(worktree, 'inner'));
    expect((await diff()).unsupported).toEqual(['inner']);
  });

  it('of another host writes nothing outside the worktree, into `.git`, or through a link', async () => {
    const { worktree, file } = await openTask();
    const outside = tempDir();
    symlinkSync(outside, join(worktree, 'link'));
    for (const path of ['../out.txt', `${outside}/out.txt`, '.git/hooks/out', 'inner/.git/config', 'link/out.txt']) {
      const head = `diff --git a/${path} b/${path}\nnew file mode 100755\n--- /dev/null\n+++ b/${path}\n`;
      writeFileSync(file, `${head}@@ -0,0 +1 @@\n+out\n`);
      await applyPatch(worktree, file, gitContext()).catch((error) => expect(error).toBeInstanceOf(GitError));
    }
    expect(readdirSync(outside)).toEqual([]);
    expect(existsSync(join(worktree, '..', 'out.txt'))).toBe(false);
    expect(existsSync(join(worktree, 'inner', '.git'))).toBe(false);
  });

  it('names files of Git LFS', async () => {
    const { worktree, diff } = await openTask();
    put(worktree, '.gitattributes', '*.psd filter=lfs diff=lfs merge=lfs -text\n');
    put(worktree, 'picture.psd', 'pixels');
    expect((await diff()).unsupported).toEqual(['picture.psd']);
  });
});

describe('what git prints about changes', () => {
  it('is read by its separators, for paths of any content', () => {
    const raw = ':100644 160000 a b M\0sub module\0:000000 100644 a b A\0new\nline\0';
    expect(parseRawDiff(raw)).toEqual([
      { modes: ['100644', '160000'], path: 'sub module' },
      { modes: ['000000', '100644'], path: 'new\nline' },
    ]);
    expect(parseLfsPaths('a\0filter\0lfs\0b\0filter\0unspecified\0')).toEqual(['a']);
  });
});

describe('a patch of more changes than can be looked at', () => {
  it('is written, and named as one that another host cannot apply', async () => {
    const repo = newRepo();
    // Long names reach the limit of the list with few files.
    const folder = Array.from({ length: 14 }, () => 'x'.repeat(250)).join('/');
    for (let n = 0; n < 1_300; n++) put(repo, `${folder}/${n}`, '');
    const file = join(tempDir(), 'patch');
    const baseSha = runGit(repo, 'rev-parse', 'HEAD');
    const { bytes, unsupported } = await writeGitDiff({ worktree: repo, baseSha, file }, gitContext());
    expect(bytes).toBeGreaterThan(4 * 1024 * 1024);
    expect(unsupported).toHaveLength(1);
  });
});
