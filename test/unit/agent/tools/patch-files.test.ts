import { chmodSync, chownSync, existsSync, lstatSync, mkdirSync, readlinkSync, statSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { INSTRUCTION_ID, ToolRun } from './tool-run.ts';

const tools = new ToolRun();
const patch = (text: string) => tools.run('conductor::files/patch', { patch: text });
const at = (path: string) => join(tools.root, path);
const modeOf = (path: string) => statSync(at(path)).mode & 0o777;
const RENAME = 'diff --git a/a b/d/b\nsimilarity index 100%\nrename from a\nrename to d/b\n';

function undo(): void {
  const { roots, newTemporaryName } = tools;
  tools.undo.undo(INSTRUCTION_ID, roots, { force: false, newTemporaryName });
}
function makeFile(path: string, content: string, mode: number): void {
  tools.makeFiles({ [path]: content });
  chmodSync(at(path), mode);
}

describe('the permissions of patched files', () => {
  it.each([0o600, 0o755, 0o640])('%o is kept by a change, a rename and a copy', async (mode) => {
    makeFile('a', 'x\n', mode);
    await patch('--- a/a\n+++ b/a\n@@ -1 +1 @@\n-x\n+y\n');
    expect(modeOf('a')).toBe(mode);
    await patch('diff --git a/a b/copy\ncopy from a\ncopy to copy\n');
    expect(modeOf('copy')).toBe(mode);
    expect(await patch(RENAME)).toMatchObject({ status: 'succeeded' });
    expect([modeOf('d/b'), existsSync(at('a'))]).toEqual([mode, false]);
  });

  it('are back after undo of a removal and of a rename', async () => {
    makeFile('a', 'x\n', 0o600);
    await patch('--- a/a\n+++ /dev/null\n@@ -1 +0,0 @@\n-x\n');
    undo();
    expect([modeOf('a'), tools.read('a')]).toEqual([0o600, 'x\n']);
    await patch(RENAME);
    undo();
    expect([modeOf('a'), existsSync(at('d/b'))]).toEqual([0o600, false]);
  });

  it('are back after a patch that fails at a later file', async () => {
    makeFile('a', 'x\n', 0o750);
    makeFile('b', 'x\n', 0o444);
    const first = '--- a/a\n+++ /dev/null\n@@ -1 +0,0 @@\n-x\n';
    const second = '--- a/b\n+++ b/b\n@@ -1 +1 @@\n-x\n+y\n';
    const third = '--- /dev/null\n+++ b/c\n@@ -0,0 +1 @@\n+y\n';
    expect(await patch(third + second + first)).toMatchObject({ status: 'failed', error_code: 'permission_denied' });
    expect([modeOf('a'), tools.read('a'), existsSync(at('c'))]).toEqual([0o750, 'x\n', false]);
  });

  it('are back, in the place of a folder that the patch made, after a patch that fails at a later file', async () => {
    makeFile('a', 'x\n', 0o750);
    makeFile('z', 'x\n', 0o444);
    const moved = 'diff --git a/a b/d\nrename from a\nrename to d\n';
    const inside =
      'diff --git a/a/deep/new b/a/deep/new\nnew file mode 100644\n--- /dev/null\n+++ b/a/deep/new\n@@ -0,0 +1 @@\n+y\n';
    const refused = '--- a/z\n+++ b/z\n@@ -1 +1 @@\n-x\n+y\n';
    expect(await patch(moved + inside + refused)).toMatchObject({ error_code: 'permission_denied' });
    expect([modeOf('a'), tools.read('a'), existsSync(at('d'))]).toEqual([0o750, 'x\n', false]);
  });

  it('change by the execute bits that a patch names, and no others', async () => {
    makeFile('a', 'x\n', 0o640);
    await patch('diff --git a/a b/a\nold mode 100644\nnew mode 100755\n');
    expect(modeOf('a')).toBe(0o750);
    const withLines = 'diff --git a/a b/a\nold mode 100755\nnew mode 100644\n--- a/a\n+++ b/a\n@@ -1 +1 @@\n-x\n+y\n';
    await patch(withLines);
    expect([modeOf('a'), tools.read('a')]).toEqual([0o640, 'y\n']);
  });

  it.each(['change', 'removal', 'rename'])('of a read-only file refuse its %s', async (what) => {
    makeFile('a', 'x\n', 0o444);
    const patches: Record<string, string> = {
      change: '--- a/a\n+++ b/a\n@@ -1 +1 @@\n-x\n+y\n',
      removal: '--- a/a\n+++ /dev/null\n@@ -1 +0,0 @@\n-x\n',
      rename: RENAME,
    };
    expect(await patch(patches[what] ?? '')).toMatchObject({ error_code: 'permission_denied' });
    expect([tools.read('a'), existsSync(at('d/b'))]).toEqual(['x\n', false]);
  });

  it.runIf(process.getuid?.() === 0)('come with the owner and group of the file, after undo too', async () => {
    makeFile('a', 'x\n', 0o644);
    chownSync(at('a'), 12_345, 23_456);
    const ownerOf = (path: string) => [statSync(at(path)).uid, statSync(at(path)).gid];
    await patch('--- a/a\n+++ b/a\n@@ -1 +1 @@\n-x\n+y\n');
    expect(ownerOf('a')).toEqual([12_345, 23_456]);
    undo();
    await patch(RENAME);
    expect(ownerOf('d/b')).toEqual([12_345, 23_456]);
    undo();
    expect(ownerOf('a')).toEqual([12_345, 23_456]);
  });
});

describe('what the headers of git say', () => {
  it('is done: new, empty, executable and removed files, and the emptied file that is not removed', async () => {
    tools.makeFiles({ gone: '', left: 'x\n' });
    const text = [
      'diff --git a/empty b/empty\nnew file mode 100644\nindex 0000000..e69de29\n',
      'diff --git a/run.sh b/run.sh\nnew file mode 100755\n--- /dev/null\n+++ b/run.sh\n@@ -0,0 +1 @@\n+#!/bin/sh\n',
      'diff --git a/gone b/gone\ndeleted file mode 100644\nindex e69de29..0000000\n',
      'diff --git a/left b/left\n--- a/left\n+++ b/left\n@@ -1 +0,0 @@\n-x\n',
    ].join('');
    expect(await patch(text)).toMatchObject({ status: 'succeeded' });
    expect([tools.read('empty'), modeOf('run.sh'), existsSync(at('gone')), tools.read('left')]).toEqual([
      '',
      0o755,
      false,
      '',
    ]);
  });

  it('is done when names change places, and each part sees what the parts before it made', async () => {
    tools.makeFiles({ a: 'A\n', b: 'B\n', c: '1\n' });
    const swapped = ['a b', 'b a'].map((pair) => {
      const [from, to] = pair.split(' ');
      return `diff --git a/${from} b/${to}\nrename from ${from}\nrename to ${to}\n`;
    });
    const twice = 'diff --git a/c b/c\n--- a/c\n+++ b/c\n@@ -1 +1 @@\n-1\n+2\n--- a/c\n+++ b/c\n@@ -1 +1 @@\n-2\n+3\n';
    expect(await patch(swapped.join('') + twice)).toMatchObject({ status: 'succeeded' });
    expect([tools.read('a'), tools.read('b'), tools.read('c')]).toEqual(['B\n', 'A\n', '3\n']);
    undo();
    expect([tools.read('a'), tools.read('b'), tools.read('c')]).toEqual(['A\n', 'B\n', '1\n']);
  });

  it.each([
    ['a binary diff', 'diff --git a/a b/a\nindex 1..2 100644\nGIT binary patch\nliteral 1\n', 'a binary diff'],
    [
      'binary files that differ',
      'diff --git a/a b/a\nindex 1..2 100644\nBinary files a/a and b/a differ\n',
      'a binary diff',
    ],
    [
      'a submodule',
      'diff --git a/a b/a\nnew file mode 160000\n--- /dev/null\n+++ b/a\n@@ -0,0 +1 @@\n+x\n',
      'a submodule',
    ],
    ['a diff of a merge', '--- a/a\n+++ b/a\n@@@ -1,1 -1,1 +1,1 @@@\n--x\n++y\n', 'a diff of a merge'],
  ])('is refused by name: %s', async (_what, text, named) => {
    tools.makeFiles({ a: 'x\n' });
    const { error_code, output } = await patch(text);
    expect([error_code, tools.read('a')]).toEqual(['unsupported_patch', 'x\n']);
    expect(output).toContain(named);
  });

  it('is refused when it is not so: a new file that exists, a removed one with more lines', async () => {
    tools.makeFiles({ a: 'x\ny\n' });
    expect(await patch('--- /dev/null\n+++ b/a\n@@ -0,0 +1 @@\n+x\n')).toMatchObject({ error_code: 'exists' });
    const removed = await patch('--- a/a\n+++ /dev/null\n@@ -1 +0,0 @@\n-x\n');
    expect(removed).toMatchObject({ error_code: 'context_differs' });
    expect(tools.read('a')).toBe('x\ny\n');
  });
});

describe('the names in the headers of a patch', () => {
  const inLines = (from: string, to: string) => `--- ${from}\n+++ ${to}\n@@ -1 +1 @@\n-x\n+y\n`;

  it('are those of one file: a first line of git and lines below it that name two are refused', async () => {
    tools.makeFiles({ b: 'x\n', é: 'x\n' });
    const result = await patch(`diff --git a/b b/b\nold mode 100755\nnew mode 100644\n${inLines('a/é', 'b/é')}`);
    expect(result).toMatchObject({
      error_code: 'invalid_patch',
      output:
        'line 1 of the patch: the first line names "b" and the lines below it "é"; two parts may have run together',
    });
    expect([tools.read('b'), tools.read('é')]).toEqual(['x\n', 'x\n']);
  });

  it.each(['b//d/x', '"b//d/x"', 'src//x'])('are refused when git reads an absolute path: %s', async (name) => {
    tools.makeFiles({ 'b/d/x': 'x\n', 'src/x': 'x\n' });
    const result = await patch(inLines(name, name));
    expect(result).toMatchObject({ error_code: 'invalid_patch' });
    expect(result.output).toMatch(/has an empty part, so git reads it as the absolute path "\/.*x"/);
    expect([tools.read('b/d/x'), tools.read('src/x')]).toEqual(['x\n', 'x\n']);
  });

  it('are read as git does when a slash is repeated further on', async () => {
    tools.makeFiles({ 'd/x': 'x\n' });
    await patch(inLines('a/d//x', 'b/d/x'));
    expect(tools.read('d/x')).toBe('y\n');
  });

  it.each([
    ['rename from', 'rename to b\n'],
    ['rename to', 'rename from a\n'],
  ])('are complete without the line "%s" when the lines below it have the name', async (_missing, given) => {
    tools.makeFiles({ a: 'x\n' });
    await patch(`diff --git a/a b/b\nsimilarity index 50%\n${given}${inLines('a/a', 'b/b')}`);
    expect([tools.read('b'), existsSync(at('a'))]).toEqual(['y\n', false]);
  });

  it('are not passed over when no hunk follows them', async () => {
    tools.makeFiles({ a: 'x\n', b: 'x\n' });
    const result = await patch(`${inLines('a/a', 'b/a')}deleted file mode 100644\n--- a/b\n+++ b/b\n-x\n`);
    expect(result.output).toContain('no hunk (a line that begins with @@) follows --- and +++');
    expect([tools.read('a'), tools.read('b')]).toEqual(['x\n', 'x\n']);
  });

  it('may name what lies in the place of a file that the patch moves away', async () => {
    tools.makeFiles({ a: 'x\n', c: 'x\n' });
    const inside = 'diff --git a/c b/a/deep/c\nrename from c\nrename to a/deep/c\n';
    expect(await patch(`diff --git a/a b/b\nrename from a\nrename to b\n${inside}`)).toMatchObject({
      status: 'succeeded',
    });
    expect([tools.read('b'), tools.read('a/deep/c')]).toEqual(['x\n', 'x\n']);
  });
});

describe('symbolic links in a patch', () => {
  const LINK = 'diff --git a/link b/link\n';
  it('are removed and renamed themselves, and undo restores them', async () => {
    tools.makeFiles({ target: 'x\n' });
    symlinkSync('target', at('link'));
    const removal = `${LINK}deleted file mode 120000\n--- a/link\n+++ /dev/null\n@@ -1 +0,0 @@\n-target\n\\ No newline at end of file\n`;
    expect(await patch(removal)).toMatchObject({ status: 'succeeded' });
    expect([existsSync(at('link')), tools.read('target')]).toEqual([false, 'x\n']);
    undo();
    expect(readlinkSync(at('link'))).toBe('target');
    const renamed = 'diff --git a/link b/other\nsimilarity index 100%\nrename from link\nrename to other\n';
    expect(await patch(renamed)).toMatchObject({ status: 'succeeded' });
    expect([readlinkSync(at('other')), lstatSync(at('link'), { throwIfNoEntry: false })]).toEqual([
      'target',
      undefined,
    ]);
  });

  it('are removed without their mode when the lines are their own text, as by git', async () => {
    tools.makeFiles({ target: 'x\n' });
    symlinkSync('target', at('link'));
    const removal = '--- a/link\n+++ /dev/null\n@@ -1 +0,0 @@\n-target\n\\ No newline at end of file\n';
    expect(await patch(removal)).toMatchObject({ status: 'succeeded' });
    expect([lstatSync(at('link'), { throwIfNoEntry: false }), tools.read('target')]).toEqual([undefined, 'x\n']);
  });

  it('are renamed without their mode when the lines are their own text, as by git', async () => {
    tools.makeFiles({ target: 'x\n', next: 'y\n' });
    symlinkSync('target', at('link'));
    const names = 'diff --git a/link b/other\nrename from link\nrename to other\n--- a/link\n+++ b/other\n';
    const lines = '-target\n\\ No newline at end of file\n+next\n\\ No newline at end of file\n';
    expect(await patch(`${names}@@ -1 +1 @@\n${lines}`)).toMatchObject({ status: 'succeeded' });
    expect(readlinkSync(at('other'))).toBe('next');
  });

  it('are refused when the patch takes them for files', async () => {
    tools.makeFiles({ target: 'x\n' });
    symlinkSync('target', at('link'));
    const result = await patch('--- a/link\n+++ /dev/null\n@@ -1 +0,0 @@\n-x\n');
    expect(result).toMatchObject({ error_code: 'context_differs' });
    expect(result.output).toContain('link is a symbolic link, but line 1 of the patch is about a regular file');
    expect([readlinkSync(at('link')), tools.read('target')]).toEqual(['target', 'x\n']);
  });

  it('are written through by a change of lines', async () => {
    tools.makeFiles({ target: 'x\n' });
    symlinkSync('target', at('link'));
    await patch('--- a/link\n+++ b/link\n@@ -1 +1 @@\n-x\n+y\n');
    expect([readlinkSync(at('link')), tools.read('target')]).toEqual(['target', 'y\n']);
  });

  it.each(['../outside/secret', '/etc/passwd', 'agent/state', '.git/config'])(
    'are not made or moved so that they lead to %s',
    async (target) => {
      const created = `${LINK}new file mode 120000\n--- /dev/null\n+++ b/link\n@@ -0,0 +1 @@\n+${target}\n\\ No newline at end of file\n`;
      expect(await patch(created)).toMatchObject({ status: 'denied' });
      expect(lstatSync(at('link'), { throwIfNoEntry: false })).toBeUndefined();
    },
  );

  it('do not lead out of the roots after a rename to another folder', async () => {
    tools.makeFiles({ 'd/target': 'x\n' });
    mkdirSync(at('d/e'));
    symlinkSync('../../x', at('d/e/link'));
    const renamed = 'diff --git a/d/e/link b/link\nrename from d/e/link\nrename to link\n';
    expect(await patch(renamed)).toMatchObject({ status: 'denied', error_code: 'path_outside_roots' });
    expect(readlinkSync(at('d/e/link'))).toBe('../../x');
  });
});
