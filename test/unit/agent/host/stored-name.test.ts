import { mkdirSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ToolRun } from '../tools/tool-run.ts';

const tools = new ToolRun();
const ONE = 'caf\u00e9';
const TWO = 'cafe\u0301';

// File systems that take both forms for one name have nothing to find.
describe.runIf(process.platform === 'linux')('a name that is stored in another Unicode form', () => {
  it.each([
    ['composed', 'decomposed', ONE, TWO],
    ['decomposed', 'composed', TWO, ONE],
  ])('a %s name finds the file that is stored with a %s one', async (_given, _stored, given, stored) => {
    tools.makeFiles({ [`${stored}/${stored}.txt`]: 'text' });
    expect(await tools.run('conductor::files/read', { path: `${given}/${given}.txt` })).toMatchObject({
      output: 'text',
    });
    const list = await tools.run('conductor::files/list', { pattern: '*', cwd: given });
    expect(list.output).toBe(`${stored}.txt\n`);
  });

  it('a file is overwritten under the name that it has, and not made twice', async () => {
    tools.makeFiles({ [TWO]: 'old' });
    expect(await tools.run('conductor::files/write', { path: ONE, content: 'new' })).toMatchObject({
      error_code: 'exists',
    });
    await tools.run('conductor::files/write', { path: ONE, content: 'new', overwrite: true });
    expect(readdirSync(tools.root)).toEqual([TWO]);
    expect(tools.read(TWO)).toBe('new');
  });

  it('the exact name wins, and a name that may mean two files is not found', async () => {
    const [mixed, ...both] = ['\u1e69', 's\u0323\u0307', '\u1e63\u0307'];
    tools.makeFiles(Object.fromEntries(both.map((name) => [name, name])));
    for (const name of both) expect((await tools.run('conductor::files/read', { path: name })).output).toBe(name);
    expect(await tools.run('conductor::files/read', { path: mixed })).toMatchObject({ error_code: 'not_found' });
  });

  it('a name that leads out of the roots is refused in each form', async () => {
    mkdirSync(join(tools.base, 'outside', TWO));
    writeFileSync(join(tools.base, 'outside', TWO, 'secret'), 'secret');
    symlinkSync(join(tools.base, 'outside', TWO), join(tools.root, TWO));
    for (const path of [`${ONE}/secret`, `../outside/${ONE}/secret`]) {
      expect(await tools.run('conductor::files/read', { path })).toMatchObject({ error_code: 'path_outside_roots' });
    }
  });
});
