import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { openRoots } from '../../../../local-agent/host/roots.ts';
import { ToolRun } from '../tools/tool-run.ts';

const tools = new ToolRun();
afterEach(() => vi.unstubAllEnvs());

const DENIED = { status: 'denied', error_code: 'path_protected' };

function git(...args: string[]): string {
  const env = { PATH: process.env.PATH, HOME: tools.root };
  return execFileSync('git', args, { cwd: tools.root, env, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
}
const write = (path: string, content = '') =>
  tools.run('conductor::files/write', { path, content, overwrite: true, create_parents: true });
const patch = (text: string) => tools.run('conductor::files/patch', { patch: text });

/** Every file tool at one path. */
async function outcomesAt(path: string): Promise<object[]> {
  return [
    await tools.run('conductor::files/read', { path }),
    await write(path, 'x'),
    await tools.run('conductor::files/write', { path, content: 'x', append: true }),
    await patch(`--- a/${path}\n+++ b/${path}\n@@ -1 +1 @@\n-x\n+y\n`),
    await patch(`--- /dev/null\n+++ b/${path}\n@@ -0,0 +1 @@\n+y\n`),
    await patch(`diff --git a/plain b/${path}\nrename from plain\nrename to ${path}\n`),
  ];
}

describe('a folder that Git takes for a repository', () => {
  it('is closed to every file tool, whatever its name', async () => {
    tools.makeFiles({ plain: '' });
    git('init', '--bare', 'bare');
    for (const outcome of await outcomesAt('bare/config')) expect(outcome).toMatchObject(DENIED);
    expect(await tools.run('conductor::files/list', { pattern: '**', cwd: 'bare' })).toMatchObject(DENIED);
    const { output } = await tools.run('conductor::files/list', { pattern: '**', include_ignored: true });
    expect(output).not.toMatch(/^bare/m);
    const found = await tools.run('conductor::files/search', {
      text: 'repositoryformatversion',
      include_ignored: true,
    });
    expect(found.output).not.toContain('bare/config');
  });

  it('is closed when it is the target of a .git file, and when it shares a folder of another repository', async () => {
    tools.makeFiles({ plain: '' });
    git('init', '--separate-git-dir', join(tools.root, 'store'), 'work');
    tools.makeFiles({ 'tree/HEAD': 'ref: refs/heads/x\n', 'tree/commondir': '../anything\n' });
    for (const outcome of await outcomesAt('store/config')) expect(outcome).toMatchObject(DENIED);
    for (const outcome of await outcomesAt('tree/config')) expect(outcome).toMatchObject(DENIED);
  });

  it.each([
    ['objects first', ['b/objects/x', 'b/refs/x', 'b/config', 'b/HEAD']],
    ['HEAD first', ['b/HEAD', 'b/objects/x', 'b/refs/x', 'b/config']],
    ['a linked one', ['c/objects/x', 'c/refs/x', 'c/config', 'b/commondir', 'b/HEAD']],
    ['another case', ['b/objects/x', 'b/refs/x', 'b/config', 'b/head']],
  ])('cannot be laid out by a chat: %s', async (_order, paths) => {
    tools.makeFiles({ plain: 'ref: refs/heads/main\n' });
    for (const path of paths) await write(path, 'ref: refs/heads/main\n');
    await patch('--- /dev/null\n+++ b/b/HEAD\n@@ -0,0 +1 @@\n+ref: refs/heads/main\n');
    await patch('diff --git a/plain b/b/HEAD\nrename from plain\nrename to b/HEAD\n');
    await patch('--- /dev/null\nnew file mode 120000\n+++ b/b/HEAD\n@@ -0,0 +1 @@\n+refs/heads/main\n');
    expect([existsSync(join(tools.root, 'b/HEAD')), existsSync(join(tools.root, 'b/head'))]).toEqual([false, false]);
    expect(() => git('-C', 'b', '-c', 'safe.bareRepository=all', 'rev-parse', '--git-dir')).toThrow();
  });

  it('cannot be completed where a person left a HEAD', async () => {
    tools.makeFiles({ 'b/HEAD': 'ref: refs/heads/main\n' });
    for (const path of ['b/objects/x', 'b/refs/x', 'b/commondir']) expect(await write(path)).toMatchObject(DENIED);
    expect(await write('b/config')).toMatchObject({ status: 'succeeded' });
  });

  it('is open when a person made it a root', async () => {
    git('init', '--bare', 'bare');
    const roots = openRoots([join(tools.root, 'bare')], []);
    const params = { path: 'description', content: 'x', overwrite: true };
    expect(await tools.run('conductor::files/write', params, { roots })).toMatchObject({ status: 'succeeded' });
  });
});

describe("the user's configuration of Git", () => {
  it.each(['.gitconfig', '.config/git/config', 'other/git/attributes'])(
    '%s is protected where a root holds the home folder',
    async (path) => {
      vi.stubEnv('HOME', tools.root);
      vi.stubEnv('XDG_CONFIG_HOME', join(tools.root, 'other'));
      tools.makeFiles({ [path]: 'old' });
      expect(await write(path, '[core]\nfsmonitor = program\n')).toMatchObject(DENIED);
      expect(await tools.run('conductor::files/read', { path })).toMatchObject(DENIED);
      expect(tools.read(path)).toBe('old');
    },
  );

  it('is protected where a link in the home folder leads to', async () => {
    vi.stubEnv('HOME', tools.base);
    mkdirSync(join(tools.root, 'dotfiles'));
    writeFileSync(join(tools.root, 'dotfiles/gitconfig'), 'old');
    symlinkSync(join(tools.root, 'dotfiles/gitconfig'), join(tools.base, '.gitconfig'));
    expect(await write('dotfiles/gitconfig', 'new')).toMatchObject(DENIED);
    expect(readFileSync(join(tools.root, 'dotfiles/gitconfig'), 'utf8')).toBe('old');
  });

  it.each(['.gitignore', '.gitattributes', '.gitmodules', 'src/HEAD.ts', 'a/objects/x', 'config'])(
    '%s, which names no program, is writable',
    async (path) => expect(await write(path)).toMatchObject({ status: 'succeeded' }),
  );
});
