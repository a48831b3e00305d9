import { execFileSync } from 'node:child_process';
import { linkSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createPatch, formatPatch, structuredPatch } from 'diff';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openRoots } from '../../../../local-agent/host/roots.ts';
import { UndoStore } from '../../../../local-agent/host/undo.ts';
import { runHostTool } from '../../../../local-agent/tools/registry.ts';
import type { ToolContext } from '../../../../local-agent/tools/tool.ts';
import type { HostTool } from '../../../../schema/contracts/tools.ts';
import { tempFolder } from './instruction-host.ts';

const SECRET = 'secret-of-this-host';
let base: string;
let root: string;
let undo: UndoStore;
beforeEach(() => {
  base = tempFolder();
  root = join(base, 'workspace');
  mkdirSync(root);
  undo = new UndoStore(join(base, 'undo'));
});
afterEach(() => rmSync(base, { recursive: true, force: true }));

let temporary = 0;
const newTemporaryName = () => `.temporary-${++temporary}`;
const roots = () => openRoots([root], [join(root, 'agent')]);

function run(name: HostTool, params: unknown, with_: Partial<ToolContext> = {}) {
  const context: ToolContext = {
    roots: roots(),
    redact: Object.assign((text: string) => text.replaceAll(SECRET, '[redacted]'), { undecided: () => 0 }),
    env: { PATH: process.env.PATH },
    signal: new AbortController().signal,
    timeoutMs: 60_000,
    newTemporaryName,
    keeper: (after) => undo.keeper('ins_1', after),
    onProcess: () => undefined,
    onOutput: () => undefined,
    ...with_,
  };
  return runHostTool(name, params, context, () => performance.now());
}

function tree(files: Record<string, string>): void {
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(join(root, path, '..'), { recursive: true });
    writeFileSync(join(root, path), content);
  }
}
const read = (path: string) => readFileSync(join(root, path), 'utf8');

describe('files/list', () => {
  const list = async (params: object) =>
    (await run('conductor::files/list', params)).output.split('\n').filter(Boolean);

  it('lists what a glob matches, in order, hidden files included', async () => {
    tree({ 'b.ts': '', 'a.ts': '', '.hidden.ts': '', 'deep/er/c.ts': '', 'a.md': '' });
    expect(await list({ pattern: '*.ts' })).toEqual(['.hidden.ts', 'a.ts', 'b.ts']);
    expect(await list({ pattern: '**/*.ts' })).toEqual(['.hidden.ts', 'a.ts', 'b.ts', 'deep/er/c.ts']);
    expect(await list({ pattern: '*.ts', cwd: 'deep/er' })).toEqual(['c.ts']);
  });

  it('leaves out what ignore files name, those above and below included', async () => {
    tree({
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

  it('shows neither what a link leads to nor what belongs to the agent', async () => {
    mkdirSync(join(base, 'outside'));
    writeFileSync(join(base, 'outside/secret'), '');
    symlinkSync(join(base, 'outside'), join(root, 'link'));
    tree({ 'agent/state.sqlite': '', mine: '' });
    expect(await list({ pattern: '**', include_ignored: true })).toEqual(['mine']);
  });

  it.each(['../*', '/etc/*', 'a/../../b', '~/x'])('refuses the glob %s, which leads out', async (pattern) => {
    expect(await run('conductor::files/list', { pattern })).toMatchObject({ error_code: 'path_outside_roots' });
  });

  it('refuses a glob that could take forever', async () => {
    expect(await run('conductor::files/list', { pattern: '*a'.repeat(20) })).toMatchObject({
      error_code: 'invalid_path',
    });
  });

  it('says that there is more than was asked for', async () => {
    tree({ a: '', b: '', c: '' });
    expect(await run('conductor::files/list', { pattern: '*', limit: 2 })).toMatchObject({
      output: 'a\nb\n',
      truncated: true,
    });
  });

  it('stops when the instruction is canceled', async () => {
    tree({ a: '' });
    const signal = AbortSignal.abort('canceled');
    expect(await run('conductor::files/list', { pattern: '*' }, { signal })).toMatchObject({ status: 'canceled' });
  });
});

describe('files/search', () => {
  const search = (params: object) => run('conductor::files/search', params);

  it('gives the lines with their file and number', async () => {
    tree({ 'a.txt': 'one\r\ntwo Needle\n', 'deep/b.md': 'needle\n' });
    expect((await search({ text: 'Needle' })).output).toBe('a.txt:2: two Needle\n');
    expect((await search({ text: 'NEEDLE', ignore_case: true })).output).toBe(
      'a.txt:2: two Needle\ndeep/b.md:1: needle\n',
    );
    expect((await search({ text: 'needle', pattern: '**/*.md' })).output).toBe('deep/b.md:1: needle\n');
  });

  it('passes over what is ignored, binary, hard-linked, a FIFO, or no UTF-8', async () => {
    writeFileSync(join(base, 'elsewhere'), 'needle');
    linkSync(join(base, 'elsewhere'), join(root, 'hard'));
    execFileSync('sh', ['-c', 'mkfifo "$0"', join(root, 'fifo')]);
    tree({ '.gitignore': 'ignored\n', ignored: 'needle' });
    writeFileSync(join(root, 'binary'), Buffer.from('needle\0'));
    writeFileSync(join(root, 'latin'), Buffer.from([0xff, ...Buffer.from('needle')]));
    expect(await search({ text: 'needle' })).toMatchObject({ status: 'succeeded', output: '' });
  });

  it('redacts, and does not find a secret by its text', async () => {
    tree({ a: `token ${SECRET}\n` });
    expect((await search({ text: 'token' })).output).toBe('a:1: token [redacted]\n');
    expect((await search({ text: SECRET })).output).toBe('');
  });
});

describe('files/patch', () => {
  const patch = (text: string) => run('conductor::files/patch', { patch: text });
  const diff = (name: string, before: string, after: string) => createPatch(name, before, after);

  it('changes, makes and removes files with one diff', async () => {
    tree({ a: '1\n2\n3\n', gone: 'x\n' });
    const made = '--- /dev/null\n+++ b/new/file\n@@ -0,0 +1,1 @@\n+hello\n';
    const gone = '--- a/gone\n+++ /dev/null\n@@ -1,1 +0,0 @@\n-x\n';
    const result = await patch(`--- a/a\n+++ b/a\n@@ -1,3 +1,3 @@\n 1\n-2\n+two\n 3\n${made}${gone}`);
    expect(result).toMatchObject({ status: 'succeeded' });
    expect([read('a'), read('new/file')]).toEqual(['1\ntwo\n3\n', 'hello\n']);
    expect(() => read('gone')).toThrow();
  });

  it('writes nothing when one context of one file differs', async () => {
    tree({ a: '1\n2\n3\n', b: 'other\n' });
    const result = await patch(diff('a', '1\n2\n3\n', '1\nX\n3\n') + diff('b', 'expected\n', 'new\n'));
    expect(result).toMatchObject({ status: 'failed', error_code: 'context_differs' });
    expect([read('a'), read('b')]).toEqual(['1\n2\n3\n', 'other\n']);
  });

  it('takes back what it has written when a later file cannot be', async () => {
    tree({ a: '1\n', 'agent/x': '1\n' });
    const result = await patch(`${diff('a', '1\n', '2\n')}--- /dev/null\n+++ agent/y\n@@ -0,0 +1,1 @@\n+x\n`);
    expect(result).toMatchObject({ status: 'denied', error_code: 'path_protected' });
    expect(read('a')).toBe('1\n');
  });

  it('does not make the content of a hard link readable, whose other name may lie outside', async () => {
    writeFileSync(join(base, 'outside'), 'secret\n');
    linkSync(join(base, 'outside'), join(root, 'hard'));
    const result = await patch('--- a/hard\n+++ b/hard\n@@ -0,0 +1,1 @@\n+x\n');
    expect(result).toMatchObject({ status: 'denied', error_code: 'hard_linked' });
    expect(await patch('--- a/hard\n+++ b/copy\n@@ -0,0 +1,1 @@\n+x\n')).toMatchObject({ status: 'denied' });
  });

  it.each(['../x', '/etc/x', 'agent/x', 'link/x'])('refuses to touch %s', async (name) => {
    symlinkSync(base, join(root, 'link'));
    const result = await patch(`--- /dev/null\n+++ ${name}\n@@ -0,0 +1,1 @@\n+x\n`);
    expect(result).toMatchObject({ status: 'denied' });
  });

  it.each([
    ['no patch at all', 'invalid_patch'],
    ['--- a/x\n+++ b/x\n@@ -1,2 +1,2 @@\n-a\n', 'invalid_patch'],
    [`${createPatch('a', '1\n', '2\n')}${createPatch('a', '1\n', '3\n')}`, 'invalid_patch'],
  ])('says that %j is none', async (text, error_code) => {
    tree({ a: '1\n', x: 'a\n' });
    expect(await patch(text)).toMatchObject({ status: 'failed', error_code });
    expect(read('a')).toBe('1\n');
  });

  it('makes of any file what its diff says', async () => {
    const text = fc
      .array(fc.constantFrom('a', 'b', '', ' x'), { maxLength: 8 })
      .map((lines) => lines.map((l) => `${l}\n`).join(''));
    await fc.assert(
      fc.asyncProperty(text, text, async (before, after) => {
        fc.pre(before !== after && before !== '' && after !== '');
        tree({ f: before });
        const result = await patch(formatPatch(structuredPatch('a/f', 'b/f', before, after)));
        expect([result.status, read('f')]).toEqual(['succeeded', after]);
      }),
      { numRuns: 50 },
    );
  });
});

describe('undo', () => {
  const restore = (force = false) => undo.undo('ins_1', roots(), { force, newTemporaryName });
  const write = (path: string, content: string) => run('conductor::files/write', { path, content, overwrite: true });

  it('puts back what a write replaced, once', async () => {
    tree({ a: 'old' });
    await write('a', 'new');
    expect(restore()).toEqual({ type: 'undone', paths: [join(root, 'a')] });
    expect(read('a')).toBe('old');
    expect(restore()).toEqual({ type: 'unknown' });
  });

  it('removes what a write made', async () => {
    await write('a', 'new');
    restore();
    expect(() => read('a')).toThrow();
  });

  it('puts back every file of a patch, the removed one included', async () => {
    tree({ a: '1\n', gone: 'x\n' });
    await run('conductor::files/patch', {
      patch: `${createPatch('a', '1\n', '2\n')}--- gone\n+++ /dev/null\n@@ -1,1 +0,0 @@\n-x\n`,
    });
    restore();
    expect([read('a'), read('gone')]).toEqual(['1\n', 'x\n']);
  });

  it('refuses when a file has changed since, and does it when forced', async () => {
    tree({ a: 'old' });
    await write('a', 'new');
    tree({ a: 'edited by a person' });
    expect(restore()).toEqual({ type: 'changed', paths: [join(root, 'a')] });
    expect(read('a')).toBe('edited by a person');
    restore(true);
    expect(read('a')).toBe('old');
  });

  it('finds nothing to do when the agent died between the record and the change', async () => {
    tree({ a: 'old' });
    undo.keeper('ins_1', Buffer.from('new'))({ path: join(root, 'a'), bytes: Buffer.from('old'), mode: 0o644 });
    expect(restore().type).toBe('undone');
    expect(read('a')).toBe('old');
  });

  it('does not follow an id out of its folder', () => {
    expect(undo.undo('../../etc', roots(), { force: true, newTemporaryName })).toEqual({ type: 'unknown' });
  });
});
