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
