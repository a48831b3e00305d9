import { symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ToolRun } from './tool-run.ts';

const tools = new ToolRun();

async function list(params: object): Promise<string[]> {
  const { output } = await tools.run('conductor::files/list', params);
  return output.split('\n').filter(Boolean);
}

describe('files/list', () => {
  it('the matches of a glob are listed in order, hidden files included', async () => {
    tools.makeFiles({ 'b.ts': '', 'a.ts': '', '.hidden.ts': '', 'deep/er/c.ts': '', 'a.md': '' });
    expect(await list({ pattern: '*.ts' })).toEqual(['.hidden.ts', 'a.ts', 'b.ts']);
    expect(await list({ pattern: '**/*.ts' })).toEqual(['.hidden.ts', 'a.ts', 'b.ts', 'deep/er/c.ts']);
    expect(await list({ pattern: '*.ts', cwd: 'deep/er' })).toEqual(['c.ts']);
  });

  it('files that ignore files name, in parent folders and below, are left out', async () => {
    tools.makeFiles({
      '.gitignore': '*.log\nbuild/\n',
      'a.log': '',
      'build/x': '',
      'in/.gitignore': '!keep.log\nsecret\n',
      'in/keep.log': '',
      'in/other.log': '',
      'in/secret': '',
      '.git/config': '',
    });
    expect(await list({ pattern: '**' })).toEqual(['.gitignore', 'in/.gitignore', 'in/keep.log']);
    expect(await list({ pattern: '**/*.log', cwd: 'in' })).toEqual(['keep.log']);
    expect(await list({ pattern: '**/*.log', include_ignored: true })).toHaveLength(3);
  });

  it("files behind links and the agent's own files are left out", async () => {
    symlinkSync(join(tools.base, 'outside'), join(tools.root, 'link'));
    tools.makeFiles({ 'agent/state.sqlite': '', mine: '' });
    expect(await list({ pattern: '**', include_ignored: true })).toEqual(['mine']);
  });

  it.each(['../*', '/etc/*', 'a/../../b', '~/x'])(
    'the glob %s, which leaves the folder, is refused',
    async (pattern) => {
      const refused = { error_code: 'path_outside_roots' };
      expect(await tools.run('conductor::files/list', { pattern })).toMatchObject(refused);
    },
  );

  it('a glob with so many wildcards that matching could take for ever is refused', async () => {
    const result = await tools.run('conductor::files/list', { pattern: '*a'.repeat(20) });
    expect(result).toMatchObject({ error_code: 'invalid_path' });
  });

  it('a list over its limit is truncated', async () => {
    tools.makeFiles({ a: '', b: '', c: '' });
    const result = await tools.run('conductor::files/list', { pattern: '*', limit: 2 });
    expect(result).toMatchObject({ output: 'a\nb\n', truncated: true });
  });

  it('a canceled instruction stops the walk', async () => {
    tools.makeFiles({ a: '' });
    const signal = AbortSignal.abort('canceled');
    const result = await tools.run('conductor::files/list', { pattern: '*' }, { signal });
    expect(result).toMatchObject({ status: 'canceled' });
  });
});
