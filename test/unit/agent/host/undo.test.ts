import { readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { createPatch } from 'diff';
import { describe, expect, it } from 'vitest';
import { INSTRUCTION_ID, ToolRun } from '../tools/tool-run.ts';

const tools = new ToolRun();

function undo(instructionId = INSTRUCTION_ID, force = false) {
  const { roots, newTemporaryName } = tools;
  return tools.undo.undo(instructionId, roots, { force, newTemporaryName });
}
const write = (path: string, content: string) =>
  tools.run('conductor::files/write', { path, content, overwrite: true });

describe('undo of an instruction', () => {
  it('a replaced file is restored, once', async () => {
    tools.makeFiles({ a: 'old' });
    await write('a', 'new');
    expect(undo()).toEqual({ type: 'undone', paths: [join(tools.root, 'a')] });
    expect(tools.read('a')).toBe('old');
    expect(undo()).toEqual({ type: 'unknown' });
  });

  it('a created file is removed', async () => {
    await write('a', 'new');
    undo();
    expect(() => tools.read('a')).toThrow();
  });

  it('every file of a patch is restored, a removed one included', async () => {
    tools.makeFiles({ a: '1\n', gone: 'x\n' });
    const removed = '--- gone\n+++ /dev/null\n@@ -1,1 +0,0 @@\n-x\n';
    await tools.run('conductor::files/patch', { patch: createPatch('a', '1\n', '2\n') + removed });
    undo();
    expect([tools.read('a'), tools.read('gone')]).toEqual(['1\n', 'x\n']);
  });

  describe('that put a folder in the place of a file', () => {
    const patch = 'diff --git a/b b/old\nsimilarity index 100%\nrename from b\nrename to old\n';
    const inside =
      'diff --git a/b/deep/new b/b/deep/new\nnew file mode 100644\n--- /dev/null\n+++ b/b/deep/new\n@@ -0,0 +1 @@\n+x\n';

    async function replaceByFolder() {
      tools.makeFiles({ b: 'was a file\n' });
      await tools.run('conductor::files/patch', { patch: patch + inside });
      expect(tools.read('b/deep/new')).toBe('x\n');
    }

    it('the file comes back and the folders are gone', async () => {
      await replaceByFolder();
      expect(undo().type).toBe('undone');
      expect(readdirSync(tools.root)).toEqual(['b']);
      expect(tools.read('b')).toBe('was a file\n');
    });

    it('it counts as changed when another file is in the folder, which even force does not remove', async () => {
      await replaceByFolder();
      tools.makeFiles({ 'b/deep/mine': 'of a person' });
      expect(undo()).toEqual({ type: 'changed', paths: [join(tools.root, 'b')] });
      expect(() => undo(INSTRUCTION_ID, true)).toThrow(
        /\/b is a folder with files now, .*; move them away and try again/,
      );
      expect(tools.read('b/deep/mine')).toBe('of a person');
    });
  });

  it('a written file in whose place a person has put a folder counts as changed', async () => {
    await write('a', 'new');
    rmSync(join(tools.root, 'a'));
    tools.makeFiles({ 'a/mine': 'of a person' });
    expect(undo()).toEqual({ type: 'changed', paths: [join(tools.root, 'a')] });
  });

  it('a file that has changed since is restored only by force', async () => {
    tools.makeFiles({ a: 'old' });
    await write('a', 'new');
    tools.makeFiles({ a: 'edited by a person' });
    expect(undo()).toEqual({ type: 'changed', paths: [join(tools.root, 'a')] });
    expect(tools.read('a')).toBe('edited by a person');
    undo(INSTRUCTION_ID, true);
    expect(tools.read('a')).toBe('old');
  });

  it('a record whose change never happened, after a crash in between, leaves the file as it is', () => {
    tools.makeFiles({ a: 'old' });
    const keep = tools.undo.keeper(INSTRUCTION_ID);
    keep({
      path: join(tools.root, 'a'),
      entry: { type: 'file', bytes: Buffer.from('old'), mode: 0o644, owner: { uid: 0, gid: 0 } },
      after: Buffer.from('new'),
    });
    expect(undo().type).toBe('undone');
    expect(tools.read('a')).toBe('old');
  });

  it('an id that is a path does not leave the folder of the records', () => {
    expect(undo('../../etc', true)).toEqual({ type: 'unknown' });
  });
});
