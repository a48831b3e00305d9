/** Values of a configuration, compared with what Git itself reads. */
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { configValues } from '../../../../local-agent/host/git-config-values.ts';
import { hardenedGit } from '../../../../local-agent/host/hardened-git.ts';
import { useWorkspace } from './workspace.ts';

const workspace = useWorkspace();

function git(...args: string[]): string {
  const env = { PATH: process.env.PATH, HOME: workspace.base, GIT_CONFIG_NOSYSTEM: '1' };
  return execFileSync('git', args, { cwd: workspace.root, env, encoding: 'utf8' });
}

const WRITTEN: readonly (readonly [string, string])[] = [
  ['plain, with a comment behind it', '\tpath = ../shared ; a comment\n'],
  ['quoted, with the signs of a comment in it', '\tpath = "/home/a#b/c;d"\n'],
  ['quoted in part', '\tpath = "/home"/someone/"x y"\n'],
  ['escaped', '\tpath = /home/a\\\\b/\\"c\\"\n'],
  ['continued on the next line', '\tpath = \\\n/home/some\\\none\n'],
  ['continued, with the ends of lines of Windows', '\tpath = \\\r\n/home/someone\r\n'],
];

describe('a value in a configuration of Git', () => {
  it.each(WRITTEN)('is read as Git reads it: %s', (_how, line) => {
    const text = `[x]\n${line}`;
    const file = join(workspace.root, 'some.config');
    writeFileSync(file, text);
    expect(configValues(text, 'path')).toEqual([git('config', '--file', file, 'x.path').slice(0, -1)]);
  });

  it('is found in each section, also behind the name of one and in a comment', () => {
    expect(configValues('[a] path = 1\n# path = \\\n[b]\nPATH=2\n', 'path')).toEqual(['1', '[b]', '2']);
  });

  it.each([
    ['a line that is continued', (root: string) => `path = \\\n${root}/shared`],
    ['a value that is quoted in part', (root: string) => `path = "/"${root.slice(1)}/shared`],
    ['the name of the user', () => 'path = ~someone/workspace/shared'],
  ])('cannot hide from the check of what is included: %s', (_how, line) => {
    const { root, base, roots } = workspace;
    git('init', '-q');
    writeFileSync(join(root, '.git', 'config'), `[core]\n\tbare = false\n[include]\n\t${line(root)}\n`);
    const { notes } = hardenedGit({ folder: root, roots, home: base });
    expect(notes.join()).toContain(`a chat could write ${join(root, 'shared')}, which may name programs to run`);
  });
});
