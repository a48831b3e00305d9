import { execFileSync } from 'node:child_process';
import { mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { hardenedGit } from '../../../../local-agent/host/hardened-git.ts';
import { useWorkspace } from './workspace.ts';

const HASH = 'e6'.repeat(20);
const workspace = useWorkspace();

function git(folder: string, args: readonly string[], input = ''): void {
  const env = { PATH: process.env.PATH, HOME: workspace.base, GIT_CONFIG_NOSYSTEM: '1' };
  execFileSync('git', args, { cwd: folder, env, input, stdio: ['pipe', 'ignore', 'ignore'] });
}

function addSubmodules(folder: string, names: readonly string[]): void {
  git(folder, ['update-index', '--index-info'], names.map((name) => `160000 ${HASH} 0\t${name}\n`).join(''));
}

function notes(folder = workspace.root): string[] {
  return hardenedGit({ folder, roots: workspace.roots, home: workspace.base }).notes;
}

describe('Git in a repository with submodules', () => {
  it('works where no chat could write their configuration', () => {
    const { root, base } = workspace;
    git(root, ['init', '-q']);
    git(root, ['init', '-q', 'own']);
    git(root, ['init', '-q', '--separate-git-dir', join(base, 'store'), 'moved']);
    addSubmodules(root, ['moved', 'own', 'absent']);
    addSubmodules(join(root, 'own'), ['below']);
    expect(notes()).toEqual([]);
  });

  it('works where a submodule is a link back to the repository', () => {
    const { root } = workspace;
    git(root, ['init', '-q']);
    addSubmodules(root, ['again']);
    symlinkSync('.', join(root, 'again'));
    expect(notes()).toEqual([]);
  });

  it('is refused when a chat could write the configuration of a submodule in a submodule', () => {
    const { root } = workspace;
    git(root, ['init', '-q']);
    git(root, ['init', '-q', 'own']);
    const below = join(root, 'own', 'below');
    git(root, ['init', '-q', '--separate-git-dir', join(root, 'store'), below]);
    addSubmodules(root, ['own']);
    addSubmodules(join(root, 'own'), ['below']);
    const reason = `a chat could write ${join(root, 'store', 'config')}, which may name programs to run`;
    expect(notes()).toEqual([`Git refuses this repository: ${reason}`]);
    rmSync(join(below, '.git'));
    expect(notes()).toEqual([]);
  });

  it('is refused when the repository has more folders of submodules than are checked', () => {
    const { root } = workspace;
    const modules = join(root, '.git', 'modules');
    mkdirSync(join(root, '.git', 'objects'), { recursive: true });
    mkdirSync(join(root, '.git', 'HEAD'));
    mkdirSync(modules);
    for (let n = 0; n < 2_001; n++) mkdirSync(join(modules, String(n)));
    const reason = `${modules} holds too many folders to check their configuration`;
    expect(notes()).toEqual([`Git refuses this repository: ${reason}`]);
  });

  it('is refused when all its repositories together have more folders of submodules than are checked', () => {
    const { root } = workspace;
    git(root, ['init', '-q']);
    for (const name of ['one', 'two']) git(root, ['init', '-q', name]);
    const modules = join(root, 'one', '.git', 'modules');
    mkdirSync(modules);
    for (let n = 0; n < 1_100; n++) mkdirSync(join(modules, String(n)));
    symlinkSync(modules, join(root, 'two', '.git', 'modules'));
    addSubmodules(root, ['one']);
    expect(notes()).toEqual([]);
    addSubmodules(root, ['two']);
    const reason = `${join(root, 'two', '.git', 'modules')} holds too many folders to check their configuration`;
    expect(notes()).toEqual([`Git refuses this repository: ${reason}`]);
  });

  it('is refused when a branch that is packed hides the file HEAD of a submodule whose configuration a chat could write', () => {
    const { root } = workspace;
    git(root, ['init', '-q']);
    git(root, ['init', '-q', 'own']);
    const own = join(root, 'own');
    git(own, ['config', 'include.path', '../../shared.gitconfig']);
    rmSync(join(own, '.git', 'HEAD'));
    symlinkSync('refs/heads/packed', join(own, '.git', 'HEAD'));
    // Git works there all the same.
    git(own, ['status']);
    addSubmodules(root, ['own']);
    const reason = `a chat could write ${own}/.git/../../shared.gitconfig, which may name programs to run`;
    expect(notes()).toEqual([`Git refuses this repository: ${reason}`]);
    expect(notes(own)).toEqual([`Git refuses this repository: ${reason}`]);
  });

  it('is refused when its index lists more submodules than are checked', () => {
    const { root } = workspace;
    git(root, ['init', '-q']);
    addSubmodules(
      root,
      Array.from({ length: 501 }, (_, n) => `sub-${n}`),
    );
    const reason = `its submodules are not known from ${join(root, '.git', 'index')}: it lists more than 500 submodules`;
    expect(notes()).toEqual([`Git refuses this repository: ${reason}`]);
  });

  it('is refused when its index cannot be read', () => {
    const { root } = workspace;
    git(root, ['init', '-q']);
    writeFileSync(join(root, '.git', 'index'), 'DIRC and more than twelve bytes');
    const reason = `its submodules are not known from ${join(root, '.git', 'index')}: its version is unknown`;
    expect(notes()).toEqual([`Git refuses this repository: ${reason}`]);
  });
});
