import { symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ToolRun } from './tool-run.ts';

const tools = new ToolRun();
/** As AbortSignal.timeout() aborts, without a race between its timer and the walk. */
const TIME_LIMIT = AbortSignal.abort(new DOMException('The limit was reached.', 'TimeoutError'));
const NOTE = /^\[(skipped|no file|folders below|more than|ended after)/;

/** The lines of the output that are no notes. */
async function list(params: object): Promise<string[]> {
  const { output } = await tools.run('conductor::files/list', params);
  return output.split('\n').filter((line) => line !== '' && !NOTE.test(line));
}

/** The notes at the end of the output. */
async function notes(params: object): Promise<string[]> {
  const { output } = await tools.run('conductor::files/list', params);
  return output.split('\n').filter((line) => NOTE.test(line));
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

  it('a glob that excludes is refused, with how to name such a file', async () => {
    const result = await tools.run('conductor::files/list', { pattern: '!*.ts' });
    expect(result).toMatchObject({ error_code: 'invalid_path', output: expect.stringContaining('\\!') });
  });

  it.each([
    ['app/(auth)/**', 'app/(auth)/login/page.tsx'],
    ['app/[slug]/page.tsx', 'app/[slug]/page.tsx'],
    ['**/[...slug]/*.tsx', 'docs/[...slug]/page.tsx'],
    ['shop/[[...slug]]/page.tsx', 'shop/[[...slug]]/page.tsx'],
    ['**/*.{md,mdx}', 'a.mdx'],
    ['./app//(auth)/./*/page.tsx', 'app/(auth)/login/page.tsx'],
    ['\\[slug\\]/x', '[slug]/x'],
    ['[ps]/x', 'p/x'],
  ])('the glob %s finds %s', async (pattern, path) => {
    tools.makeFiles({ [path]: '', 'other/file': '' });
    expect(await list({ pattern })).toEqual([path]);
  });

  it.each(['src', 'src/', './src', 's*/', 'src/**'])(
    'the glob %s lists everything below that folder',
    async (pattern) => {
      tools.makeFiles({ 'src/a': '', 'src/deep/b': '', c: '' });
      expect(await list({ pattern })).toEqual(['src/a', 'src/deep/b']);
    },
  );

  it('a name is found in either Unicode form', async () => {
    const [one, two] = ['caf\u00e9', 'cafe\u0301'];
    tools.makeFiles({ [`${two}/${two}.txt`]: '' });
    expect(await list({ pattern: `${one}/${one}.*` })).toEqual([`${two}/${two}.txt`]);
    expect(await list({ pattern: two })).toHaveLength(1);
  });

  it('a name with a line break is listed on one line, as JSON', async () => {
    tools.makeFiles({ 'a\nb': '' });
    expect(await list({ pattern: '**' })).toEqual(['"a\\nb"']);
  });

  it('what is passed over is said, with the reason', async () => {
    tools.makeFiles({ '.gitignore': '*.log\n', 'a.log': '', 'b.log': '', 'c.log': '', 'd.log': '', 'agent/state': '' });
    symlinkSync('a.log', join(tools.root, 'link'));
    expect(await notes({ pattern: '**' })).toEqual([
      '[skipped: 4 left out by ignore files (include_ignored shows them): a.log, b.log, c.log, …]',
      '[skipped: 1 symbolic links, which are not followed: link]',
      '[skipped: 1 protected, belonging to the agent or to Git: agent/]',
    ]);
  });

  it('a glob without matches says so, and how to look into the folders below', async () => {
    tools.makeFiles({ 'src/a.ts': '' });
    expect(await notes({ pattern: '*.ts' })).toEqual([
      '[no file matches *.ts]',
      '[folders below were not looked into; **/*.ts does that]',
    ]);
  });

  it('a list over its limit is truncated, and says so', async () => {
    tools.makeFiles({ a: '', b: '', c: '' });
    const result = await tools.run('conductor::files/list', { pattern: '*', limit: 2 });
    expect(result).toMatchObject({
      output: expect.stringMatching(/^a\nb\n\[more than 2 files match/),
      truncated: true,
    });
  });

  it('a walk that reaches its time limit fails with what it found, and how to make it shorter', async () => {
    tools.makeFiles({ a: '' });
    const result = await tools.run('conductor::files/list', { pattern: '*' }, { signal: TIME_LIMIT });
    expect(result).toMatchObject({ status: 'failed', error_code: 'timeout', truncated: true });
    expect(result.output).toMatch(
      /^(a\n)?\[the time limit was reached; a folder below as cwd, or a narrower glob, takes less\]\n$/,
    );
  });

  it('a canceled instruction stops the walk', async () => {
    tools.makeFiles({ a: '' });
    const signal = AbortSignal.abort('canceled');
    const result = await tools.run('conductor::files/list', { pattern: '*' }, { signal });
    expect(result).toMatchObject({ status: 'canceled' });
  });
});
