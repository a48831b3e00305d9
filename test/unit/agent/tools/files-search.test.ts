import { execFileSync } from 'node:child_process';
import { linkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { SECRET, ToolRun } from './tool-run.ts';

const tools = new ToolRun();
const search = (params: object) => tools.run('conductor::files/search', params);

describe('files/search', () => {
  it('matching lines come with their file and number', async () => {
    tools.makeFiles({ 'a.txt': 'one\r\ntwo Needle\n', 'deep/b.md': 'needle\n' });
    expect((await search({ text: 'Needle' })).output).toBe('a.txt:2: two Needle\n');
    const inAnyCase = await search({ text: 'NEEDLE', ignore_case: true });
    expect(inAnyCase.output).toBe('a.txt:2: two Needle\ndeep/b.md:1: needle\n');
    expect((await search({ text: 'needle', pattern: '**/*.md' })).output).toBe('deep/b.md:1: needle\n');
  });

  it('ignored, binary, hard-linked and special files, and files that are not UTF-8, are skipped', async () => {
    writeFileSync(join(tools.base, 'outside', 'hard'), 'needle');
    linkSync(join(tools.base, 'outside', 'hard'), join(tools.root, 'hard'));
    execFileSync('sh', ['-c', 'mkfifo "$0"', join(tools.root, 'fifo')]);
    tools.makeFiles({ '.gitignore': 'ignored\n', ignored: 'needle' });
    writeFileSync(join(tools.root, 'binary'), Buffer.from('needle\0'));
    writeFileSync(join(tools.root, 'latin'), Buffer.from([0xff, ...Buffer.from('needle')]));
    expect(await search({ text: 'needle' })).toMatchObject({ status: 'succeeded', output: '' });
  });

  it('a secret is redacted and cannot be searched for', async () => {
    tools.makeFiles({ a: `token ${SECRET}\n` });
    expect((await search({ text: 'token' })).output).toBe('a:1: token [redacted]\n');
    expect((await search({ text: SECRET })).output).toBe('');
  });
});
