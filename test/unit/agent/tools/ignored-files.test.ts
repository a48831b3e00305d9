/** What ignore files leave out of lists and searches. test/fuzz/listed-files.ts compares it with Git and ripgrep. */
import { linkSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ToolRun } from './tool-run.ts';

const tools = new ToolRun();

/** The listed files without the ignore files. */
async function list(cwd = '.'): Promise<string[]> {
  const { output } = await tools.run('conductor::files/list', { pattern: '**', cwd });
  return output.split('\n').filter((line) => line !== '' && !/^\[|ignore$/.test(line));
}

/** The notes of a list. */
async function notes(): Promise<string> {
  const { output } = await tools.run('conductor::files/list', { pattern: '**' });
  return output
    .split('\n')
    .filter((line) => line.startsWith('['))
    .join('\n');
}

function makeRepository(path: string): void {
  mkdirSync(join(tools.root, path, '.git/info'), { recursive: true });
  writeFileSync(join(tools.root, path, '.git/HEAD'), 'ref: refs/heads/main\n');
}

describe('ignore files', () => {
  it.runIf(process.platform === 'linux')('upper and lower case differ in a rule', async () => {
    tools.makeFiles({ '.gitignore': 'Build/\n*.LOG\n', 'build/a': '', 'Build/b': '', 'c.log': '', 'd.LOG': '' });
    expect(await list()).toEqual(['build/a', 'c.log']);
  });

  it('rules of the folders around a repository say nothing about what is in it', async () => {
    tools.makeFiles({ '.gitignore': '*.log\nvendor/\n', 'lib/a.log': '', 'vendor/dep/b.log': '', 'vendor/c': '' });
    makeRepository('lib');
    makeRepository('vendor/dep');
    expect(await list()).toEqual(['lib/a.log']);
    expect(await list('vendor/dep')).toEqual(['b.log']);
  });

  it('an ignored folder is shown to a call that names it as its working folder', async () => {
    tools.makeFiles({ '.gitignore': 'dist/\n*.map\n', 'dist/a.js': '', 'dist/a.map': '' });
    expect(await list()).toEqual([]);
    expect(await list('dist')).toEqual(['a.js']);
  });

  it('.ignore decides before .gitignore, and .gitignore before .git/info/exclude', async () => {
    makeRepository('.');
    tools.makeFiles({ '.git/info/exclude': 'a\nb\nc\n', '.gitignore': '!b\n!c\nd\n', 'in/.ignore': 'c\n!d\n' });
    tools.makeFiles({ 'in/a': '', 'in/b': '', 'in/c': '', 'in/d': '', d: '' });
    expect(await list()).toEqual(['in/b', 'in/d']);
  });

  it('a worktree and a submodule use the exclude file of their repository', async () => {
    makeRepository('main');
    tools.makeFiles({
      'main/.git/info/exclude': 'secret\n',
      'main/.git/worktrees/tree/HEAD': 'ref: refs/heads/other\n',
      'main/.git/worktrees/tree/commondir': '../..\n',
      'tree/.git': `gitdir: ${join(tools.root, 'main/.git/worktrees/tree')}\n`,
      'tree/secret': '',
      'tree/open': '',
    });
    expect(await list()).toEqual(['tree/open']);
  });

  it('an ignore file with other names is used, and one that is a link is not, as in Git', async () => {
    tools.makeFiles({ rules: 'a\n', 'hard/a': '', 'hard/b': '', 'soft/a': '' });
    linkSync(join(tools.root, 'rules'), join(tools.root, 'hard/.gitignore'));
    symlinkSync(join(tools.root, 'rules'), join(tools.root, 'soft/.gitignore'));
    expect(await list()).toEqual(['hard/b', 'rules', 'soft/a']);
    expect(await notes()).toContain('[skipped: 1 ignore files that could not be used completely: soft/.gitignore');
  });

  it('an ignore file that is too large is not used, and the result says so', async () => {
    tools.makeFiles({ '.gitignore': `${'# a long comment\n'.repeat(20_000)}a\n`, a: '' });
    expect(await list()).toEqual(['a']);
    expect(await notes()).toContain('could not be used completely: .gitignore (over 256 KiB)');
  });

  it.each([
    ['`*a*a*a*a…b`', `${'*a'.repeat(120)}*b`],
    ['`a*a*a*a…b` for paths', `/${'a*'.repeat(120)}b/**/c`],
    ['`**/*a/**/*a…`', `${'**/*a*/'.repeat(40)}b`],
    ['`(a+)+b`', '(a+)+b'],
  ])('the rule %s is compared with long names in bounded time', async (_kind, rule) => {
    const name = 'a'.repeat(250);
    tools.makeFiles({ '.gitignore': `${rule}\n`.repeat(100), [`${name}/${name}/${name}/${name}`]: '' });
    expect(await list()).toHaveLength(1);
  });
});

describe('globs of a call', () => {
  it.each(['(a+)+b', '*a*a*a*b', '*a'.repeat(500), '**/*a'.repeat(200), '{a,aa}'.repeat(100), '[a]*'.repeat(200)])(
    'the glob %s is compared with long names in bounded time',
    async (pattern) => {
      const name = 'a'.repeat(250);
      tools.makeFiles({ [name]: '', [`${name}/${name}/${name}`.replace(/^a/, 'b')]: '' });
      const result = await tools.run('conductor::files/list', { pattern });
      expect(result.status).toBe('succeeded');
    },
  );
});
