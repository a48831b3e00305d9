import { execFileSync } from 'node:child_process';
import { linkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { RegexSearch } from '../../../../local-agent/tools/regex-search.ts';
import { SECRET, ToolRun } from './tool-run.ts';

const tools = new ToolRun();
const search = (params: object) => tools.run('conductor::files/search', params);

const lines = async (params: object) => (await search(params)).output.split('\n').filter(Boolean);

describe('files/search', () => {
  it('matching lines come with their file and number', async () => {
    tools.makeFiles({ 'a.txt': 'one\r\ntwo Needle\n', 'deep/b.md': 'needle\n' });
    expect((await search({ text: 'Needle' })).output).toBe('a.txt:2: two Needle\n');
    const inAnyCase = await search({ text: 'NEEDLE', ignore_case: true });
    expect(inAnyCase.output).toBe('a.txt:2: two Needle\ndeep/b.md:1: needle\n');
    expect((await search({ text: 'needle', pattern: '**/*.md' })).output).toBe('deep/b.md:1: needle\n');
  });

  it('ignored, binary, hard-linked, large and special files, and files that are not UTF-8, are named with the reason', async () => {
    writeFileSync(join(tools.base, 'outside', 'hard'), 'needle');
    linkSync(join(tools.base, 'outside', 'hard'), join(tools.root, 'hard'));
    execFileSync('sh', ['-c', 'mkfifo "$0"', join(tools.root, 'fifo')]);
    tools.makeFiles({ '.gitignore': 'ignored\n', ignored: 'needle', large: 'x'.repeat(2 * 1024 * 1024 + 1) });
    writeFileSync(join(tools.root, 'binary'), Buffer.from('needle\0'));
    writeFileSync(join(tools.root, 'latin'), Buffer.from([0xff, ...Buffer.from('needle')]));
    expect(await lines({ text: 'needle' })).toEqual([
      '[nothing found in 1 file]',
      '[skipped: 1 left out by ignore files (include_ignored shows them): ignored]',
      '[skipped: 1 over the size limit of a search (files/read shows parts): large]',
      '[skipped: 1 binary, with a NUL byte: binary]',
      '[skipped: 1 not UTF-8 text (files/read with encoding base64 shows them): latin]',
      '[skipped: 1 with other names (hard links), which may lie outside the roots: hard]',
      '[skipped: 1 neither file nor folder: fifo]',
    ]);
  });

  it('a match in a long line is shown with its column and the text around it', async () => {
    tools.makeFiles({ 'a.js': `first\n${'x'.repeat(4_999)}needle${'y'.repeat(4_999)}\n` });
    const [line = ''] = await lines({ text: 'needle' });
    expect(line).toMatch(/^a\.js:2:5000: …x+needley+…$/);
    expect(line.length).toBeLessThan(400);
  });

  it('a text of several lines is found with any line breaks', async () => {
    tools.makeFiles({ unix: 'a\none\ntwo\nb\n', windows: 'one\r\ntwo\r\n' });
    expect(await lines({ text: 'one\ntwo' })).toEqual([
      'unix:2: one',
      'unix:3: two',
      'windows:1: one',
      'windows:2: two',
    ]);
    expect(await lines({ text: 'one\r\ntwo' })).toHaveLength(4);
  });

  it('only the first lines of a match of many lines are shown, with how many there are', async () => {
    tools.makeFiles({ a: `${'x\n'.repeat(20)}` });
    expect((await lines({ text: 'x\n'.repeat(10) })).slice(4, 6)).toEqual([
      'a:5: x',
      'a:6: … 5 more lines of this match',
    ]);
  });

  it.each([
    ['STRASSE', 'Strasse'],
    ['ΟΔΟΣ', 'οδος'],
    ['ÄÖ', 'äö'],
    ['istanbul', 'İSTANBUL'],
  ])('the text %s is found in %s when case is ignored, at its column', async (text, content) => {
    tools.makeFiles({ a: `${'İ'.repeat(400)}${content}` });
    const [line = ''] = await lines({ text, ignore_case: true });
    expect(line).toMatch(/^a:1:401: …İ+\p{L}+$/u);
  });

  it('a text that looks like a regular expression and is not found is said to be sought as it is', async () => {
    tools.makeFiles({ a: 'function main() {}\n' });
    expect(await lines({ text: 'function .*\\(' })).toEqual([
      '[nothing found in 1 file; the text was sought as it is, regex: true reads it as a regular expression]',
    ]);
  });

  it('matches over the limit are cut, and the result says so', async () => {
    tools.makeFiles({ a: 'x\nx\nx\n' });
    const result = await search({ text: 'x', limit: 2 });
    expect(result).toMatchObject({
      output: expect.stringMatching(/^a:1: x\na:2: x\n\[more than 2 matches/),
      truncated: true,
    });
    expect((await search({ text: 'x', limit: 3 })).truncated).toBe(false);
  });

  it('a secret is redacted and cannot be searched for', async () => {
    tools.makeFiles({ a: `token ${SECRET}\n` });
    expect((await search({ text: 'token' })).output).toBe('a:1: token [redacted]\n');
    expect((await search({ text: SECRET })).output).toBe('[nothing found in 1 file]\n');
  });
});

describe('files/search with a regular expression', () => {
  it('the lines that match are found, with ^ and $ at line breaks', async () => {
    tools.makeFiles({ a: 'const one = 1;\nlet two = 2;\nconst three = 3;\n', b: 'nothing\n' });
    expect(await lines({ text: '^const (\\w+) = \\d;$', regex: true })).toEqual([
      'a:1: const one = 1;',
      'a:3: const three = 3;',
    ]);
    expect(await lines({ text: 'LET|NOTH', regex: true, ignore_case: true })).toEqual([
      'a:2: let two = 2;',
      'b:1: nothing',
    ]);
    expect(await lines({ text: 'one = 1;\\s+let', regex: true })).toHaveLength(2);
  });

  it('an expression that matches nothing at each place finds each line once', async () => {
    tools.makeFiles({ a: 'one\n\nthree\n', b: '', c: 'x' });
    expect(await lines({ text: 'z*', regex: true })).toEqual(['a:1: one', 'a:2: ', 'a:3: three', 'c:1: x']);
  });

  it('an invalid expression is refused with the reason', async () => {
    expect(await search({ text: '(a', regex: true })).toMatchObject({
      status: 'failed',
      output: expect.stringMatching(/^text: .*unterminated group/i),
    });
  });

  it('an expression that takes for ever is ended, and the file is named', async () => {
    tools.makeFiles({ bad: `${'a'.repeat(60)}!`, good: 'aab' });
    expect(await lines({ text: '(a+)+b', regex: true })).toEqual([
      'good:1: aab',
      '[skipped: 1 where the regular expression took too much time or memory: bad]',
    ]);
  });

  it('an expression that takes for ever in three texts is of no use', async () => {
    const regex = new RegexSearch('(a+)+b', false, new AbortController().signal, 50);
    for (let texts = 0; texts < 3; texts++) {
      expect(regex.isTooSlow).toBe(false);
      expect(await regex.find(`${'a'.repeat(60)}!`, 1)).toBeNull();
    }
    expect(regex.isTooSlow).toBe(true);
    expect(await regex.find('aab', 1)).toEqual([{ start: 0, end: 3 }]);
    await regex.close();
  });

  it('a canceled instruction ends the expression', async () => {
    tools.makeFiles({ bad: `${'a'.repeat(60)}!` });
    const stop = new AbortController();
    const result = tools.run('conductor::files/search', { text: '(a+)+b', regex: true }, { signal: stop.signal });
    stop.abort('canceled');
    expect(await result).toMatchObject({ status: 'canceled' });
  });
});
