import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
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

  it('missing folders inside a root are created, unless create_parents is false', async () => {
    expect(await write({ path: 'notes/2026/today.md', content: 'x' })).toMatchObject({ status: 'succeeded' });
    expect(tools.read('notes/2026/today.md')).toBe('x');
    const refused = await write({ path: 'other/today.md', content: 'x', create_parents: false });
    expect(refused).toMatchObject({ status: 'failed', error_code: 'not_found' });
    expect(await write({ path: '../outside/today.md', content: 'x' })).toMatchObject({
      status: 'denied',
      error_code: 'path_outside_roots',
    });
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
});
