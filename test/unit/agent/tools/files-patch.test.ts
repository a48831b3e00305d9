import { linkSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { createPatch, formatPatch, structuredPatch } from 'diff';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ToolRun } from './tool-run.ts';

const tools = new ToolRun();
const patch = (text: string) => tools.run('conductor::files/patch', { patch: text });

describe('files/patch', () => {
  it('one diff changes, creates and removes files', async () => {
    tools.makeFiles({ a: '1\n2\n3\n', gone: 'x\n' });
    const changed = '--- a/a\n+++ b/a\n@@ -1,3 +1,3 @@\n 1\n-2\n+two\n 3\n';
    const created = '--- /dev/null\n+++ b/new/file\n@@ -0,0 +1,1 @@\n+hello\n';
    const removed = '--- a/gone\n+++ /dev/null\n@@ -1,1 +0,0 @@\n-x\n';
    expect(await patch(changed + created + removed)).toMatchObject({ status: 'succeeded' });
    expect([tools.read('a'), tools.read('new/file')]).toEqual(['1\ntwo\n3\n', 'hello\n']);
    expect(() => tools.read('gone')).toThrow();
  });

  it('nothing is written when the context of one file differs', async () => {
    tools.makeFiles({ a: '1\n2\n3\n', b: 'other\n' });
    const fitting = createPatch('a', '1\n2\n3\n', '1\nX\n3\n');
    const result = await patch(fitting + createPatch('b', 'expected\n', 'new\n'));
    expect(result).toMatchObject({ status: 'failed', error_code: 'context_differs' });
    expect([tools.read('a'), tools.read('b')]).toEqual(['1\n2\n3\n', 'other\n']);
  });

  it('written files are restored when a later file cannot be written', async () => {
    tools.makeFiles({ a: '1\n', 'agent/x': '1\n' });
    const protectedFile = '--- /dev/null\n+++ agent/y\n@@ -0,0 +1,1 @@\n+x\n';
    const result = await patch(createPatch('a', '1\n', '2\n') + protectedFile);
    expect(result).toMatchObject({ status: 'denied', error_code: 'path_protected' });
    expect(tools.read('a')).toBe('1\n');
  });

  it('the content of a hard link is not made readable, as its other name may lie outside', async () => {
    linkSync(join(tools.base, 'outside', 'secret'), join(tools.root, 'hard'));
    const result = await patch('--- a/hard\n+++ b/hard\n@@ -0,0 +1,1 @@\n+x\n');
    expect(result).toMatchObject({ status: 'denied', error_code: 'hard_linked' });
    const renamed = 'diff --git a/hard b/copy\nrename from hard\nrename to copy\n';
    expect(await patch(renamed)).toMatchObject({ status: 'denied', error_code: 'hard_linked' });
  });

  it.each(['../x', '/etc/x', 'agent/x', 'link/x'])('a patch of %s is denied', async (name) => {
    symlinkSync(tools.base, join(tools.root, 'link'));
    expect(await patch(`--- /dev/null\n+++ ${name}\n@@ -0,0 +1,1 @@\n+x\n`)).toMatchObject({ status: 'denied' });
  });

  it.each([
    ['a text that is not a patch', 'no patch at all'],
    ['a hunk with a line that has no prefix', '--- a/x\n+++ b/x\n@@ -1,2 +1,2 @@\n-a\nb\n+c\n'],
    ['a hunk without a change', '--- a/x\n+++ b/x\n@@ -1 +1 @@\n a\n'],
    ['a part without hunks', '--- a/x\n+++ b/x\ntext\n'],
    ['a part of two names', '--- a/x\n+++ b/y\n@@ -1 +1 @@\n-a\n+b\n'],
  ])('%s is an invalid patch', async (_what, text) => {
    tools.makeFiles({ a: '1\n', x: 'a\n' });
    expect(await patch(text)).toMatchObject({ status: 'failed', error_code: 'invalid_patch' });
    expect(tools.read('a')).toBe('1\n');
  });

  it('the diff of any two texts turns the first into the second', async () => {
    const texts = fc
      .array(fc.constantFrom('a', 'b', '', ' x'), { maxLength: 8 })
      .map((lines) => lines.map((line) => `${line}\n`).join(''));
    await fc.assert(
      fc.asyncProperty(texts, texts, async (before, after) => {
        fc.pre(before !== after && before !== '' && after !== '');
        tools.makeFiles({ f: before });
        const result = await patch(formatPatch(structuredPatch('a/f', 'b/f', before, after)));
        expect([result.status, tools.read('f')]).toEqual(['succeeded', after]);
      }),
      { numRuns: 50 },
    );
  });
});
