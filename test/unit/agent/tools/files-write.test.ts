import { chmodSync, linkSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import { TOOLS } from '../../../../schema/contracts/tools.ts';
import { ToolRun } from './tool-run.ts';

const tools = new ToolRun();
const write = (params: object) => tools.run('conductor::files/write', params);

describe('files/write', () => {
  it('text and base64 are written, and the output names the file and its size', async () => {
    const output = `wrote ${join(tools.root, 'a')} (2 bytes)`;
    expect(await write({ path: 'a', content: 'é' })).toMatchObject({ status: 'succeeded', output });
    await write({ path: 'b', content: 'Af8=', encoding: 'base64' });
    expect([...readFileSync(join(tools.root, 'b'))]).toEqual([1, 255]);
  });

  it("an existing file, invalid base64 and the agent's own files are refused", async () => {
    await write({ path: 'a', content: '1' });
    expect(await write({ path: 'a', content: '2' })).toMatchObject({ status: 'failed', error_code: 'exists' });
    const invalid = await write({ path: 'b', content: 'Af8', encoding: 'base64' });
    expect(invalid).toMatchObject({ status: 'failed', error_code: 'invalid_base64' });
    const policy = await write({ path: 'policy.json', content: '{}', overwrite: true });
    expect(policy).toMatchObject({ status: 'denied', error_code: 'path_protected' });
    expect(tools.read('a')).toBe('1');
  });

  it('a file is written in parts with append, and undo of a part leaves the parts before it', async () => {
    await write({ path: 'a', content: 'one', append: true });
    const output = `appended 3 bytes to ${join(tools.root, 'a')} (6 bytes)`;
    expect(await write({ path: 'a', content: 'Af8x', encoding: 'base64', append: true })).toMatchObject({ output });
    expect([...readFileSync(join(tools.root, 'a'))]).toEqual([...Buffer.from('one'), 1, 255, 49]);
    chmodSync(join(tools.root, 'a'), 0o600);
    const { roots, newTemporaryName } = tools;
    await tools.run(
      'conductor::files/write',
      { path: 'a', content: '!', append: true },
      { keeper: tools.undo.keeper('ins_2') },
    );
    expect(tools.undo.undo('ins_2', roots, { force: false, newTemporaryName }).type).toBe('undone');
    expect(readFileSync(join(tools.root, 'a')).length).toBe(6);
    expect(statSync(join(tools.root, 'a')).mode & 0o777).toBe(0o600);
  });

  it('append and overwrite together are invalid, and nothing is appended to a hard link', async () => {
    expect(
      TOOLS['conductor::files/write'].params.safeParse({ path: 'a', content: '', append: true, overwrite: true }),
    ).toMatchObject({ success: false });
    linkSync(join(tools.base, 'outside', 'secret'), join(tools.root, 'hard'));
    const denied = await write({ path: 'hard', content: 'x', append: true });
    expect(denied).toMatchObject({ status: 'denied', error_code: 'hard_linked' });
  });

  it('a read-only file is refused and stays as it is', async () => {
    tools.makeFiles({ a: 'old' });
    chmodSync(join(tools.root, 'a'), 0o444);
    const refused = await write({ path: 'a', content: 'new', overwrite: true });
    expect(refused).toMatchObject({ status: 'failed', error_code: 'permission_denied' });
    expect(refused.output).toContain('is read-only (mode 0444)');
    expect(tools.read('a')).toBe('old');
  });

  it('~ is the home folder, which is refused outside the roots and used inside them', async () => {
    vi.stubEnv('HOME', tools.base);
    expect(await write({ path: '~/x', content: '1' })).toMatchObject({
      status: 'denied',
      error_code: 'path_outside_roots',
    });
    expect(await write({ path: '~/workspace/x', content: '1' })).toMatchObject({ status: 'succeeded' });
    expect(await write({ path: 'y', cwd: '~/workspace', content: '2' })).toMatchObject({ status: 'succeeded' });
    vi.unstubAllEnvs();
    expect(readdirSync(tools.root).sort()).toEqual(['x', 'y']);
  });

  it('the error for a missing folder names the outermost one that does not exist', async () => {
    tools.makeFiles({ 'a/file': '' });
    const result = await write({ path: 'a/b/c/d', content: '', create_parents: false });
    expect(result).toMatchObject({ status: 'failed', error_code: 'not_found' });
    expect(result.output).toBe(`there is no folder ${join(tools.root, 'a/b')}`);
    const read = await tools.run('conductor::files/read', { path: 'a/b/c/d' });
    expect(read.output).toBe(
      `${join(tools.root, 'a/b/c/d')}: not found, as there is no folder ${join(tools.root, 'a/b')}`,
    );
  });
});
