import { setImmediate } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { SECRET, ToolRun } from './tool-run.ts';

const tools = new ToolRun();

function part(...hunks: string[]): string {
  return `--- a/f\n+++ b/f\n${hunks.join('')}`;
}

/** What becomes of the file `f`, and what the tool says. */
async function patched(content: string, patch: string) {
  tools.makeFiles({ f: content });
  const { status, error_code, output } = await tools.run('conductor::files/patch', { patch });
  return { status, error_code, output, content: tools.read('f') };
}

describe('the hunks of a patch', () => {
  it('apply in the order of the file, in any order in the patch', async () => {
    const last = '@@ -5,2 +5,2 @@\n-e\n+E\n f\n';
    const first = '@@ -1,2 +1,2 @@\n-a\n+A\n b\n';
    expect(await patched('a\nb\nc\nd\ne\nf\n', part(last, first))).toMatchObject({ content: 'A\nb\nc\nd\nE\nf\n' });
  });

  it('with the same made-up numbers apply where their lines are', async () => {
    const hunks = ['a', 'c', 'e'].map((line) => `@@ -1,2 +1,2 @@\n-${line}\n+${line.toUpperCase()}\n ${line}2\n`);
    const { content } = await patched('a\na2\nc\nc2\ne\ne2\n', part(...hunks));
    expect(content).toBe('A\na2\nC\nc2\nE\ne2\n');
  });

  it.each([
    ['that change a line', 'a\nb\nc\nd\n', '@@ -1,3 +1,3 @@\n a\n-b\n+B\n c\n'],
    ['that add a line within context', 'a\nb\nc\n', '@@ -1,2 +1,3 @@\n a\n+x\n b\n'],
    ['that add a line at the end', 'a\nb\n', '@@ -1,2 +1,3 @@\n a\n b\n+x\n'],
  ])('are refused when the same one comes twice: hunks %s', async (_which, content, hunk) => {
    for (const patch of [part(hunk, hunk), part(hunk) + part(hunk)]) {
      expect(await patched(content, patch)).toMatchObject({ error_code: 'context_differs', content });
    }
  });

  it('that share lines are refused, and the other hunk is named', async () => {
    const content = 'a\nb\nc\nd\n';
    const result = await patched(
      content,
      part('@@ -1,3 +1,3 @@\n a\n-b\n+B\n c\n', '@@ -2,3 +2,3 @@\n b\n-c\n+C\n d\n'),
    );
    expect(result).toMatchObject({ error_code: 'context_differs', content });
    expect(result.output).toContain(
      'hunk 2 of 2 (@@ -2,3 +2,3 @@, line 8 of the patch): it shares lines with the hunk',
    );
  });

  it('apply at the nearest place where all lines fit, and the result names it', async () => {
    const content = `${'x\n'.repeat(5)}a\nb\nc\n${'x\n'.repeat(20)}a\nb\nc\n`;
    const result = await patched(content, part('@@ -9,3 +9,3 @@\n a\n-b\n+B\n c\n'));
    expect(result.content).toBe(content.replace('a\nb', 'a\nB'));
    expect(result.output).toContain('(@@ -9,3 +9,3 @@ at line 6)');
  });

  it('without context that say no place are refused, where git puts their lines at the end', async () => {
    const content = 'a\nb\nc\n';
    expect(await patched(content, part('@@ -1,0 +2,1 @@\n+x\n'))).toMatchObject({
      error_code: 'context_differs',
      content,
    });
    expect(await patched(content, part('@@ -3,0 +4,1 @@\n+x\n'))).toMatchObject({ content: 'a\nb\nc\nx\n' });
  });

  it('of LF fit a file of CRLF, and hunks of CRLF a file of LF', async () => {
    const lf = part('@@ -1,2 +1,2 @@\n a\n-b\n+B\n');
    expect(await patched('a\r\nb\r\n', lf)).toMatchObject({ content: 'a\r\nB\r\n' });
    expect(await patched('a\r\nb\r\n', part('@@ -2,0 +3 @@\n+c\n'))).toMatchObject({
      content: 'a\r\nb\r\nc\r\n',
    });
    expect(await patched('a\nb\n', lf.replaceAll('\n', '\r\n'))).toMatchObject({ content: 'a\nB\n' });
  });

  it('keep a missing line break at the end, and give or take one when they say so', async () => {
    const none = '\\ No newline at end of file\n';
    expect(await patched('a\nb', part(`@@ -1,2 +1,2 @@\n-a\n+A\n b\n${none}`))).toMatchObject({ content: 'A\nb' });
    expect(await patched('a\nb', part(`@@ -2 +2 @@\n-b\n${none}+b\n`))).toMatchObject({ content: 'a\nb\n' });
    expect(await patched('a\nb\n', part(`@@ -2 +2 @@\n-b\n+b\n${none}`))).toMatchObject({ content: 'a\nb' });
    expect(await patched('b\na\n', part(`@@ -1 +1 @@\n-b\n+b\n${none}`))).toMatchObject({
      error_code: 'context_differs',
    });
  });
});

describe('a hunk whose header is wrong', () => {
  const content = 'a\nb\nc\nd\ne\n';
  it.each([
    ['counts too large', '@@ -1,9 +1,9 @@\n a\n-b\n+B\n c\n'],
    ['counts too small', '@@ -1,1 +1,1 @@\n a\n-b\n+B\n c\n'],
    ['no numbers', '@@ @@\n a\n-b\n+B\n c\n'],
    ['dots for numbers', '@@ ... @@\n a\n-b\n+B\n c\n'],
    ['the name of a function for numbers', '@@ def f():\n a\n-b\n+B\n c\n'],
    ['no closing signs', '@@ -1,3 +1,3\n a\n-b\n+B\n c\n'],
    ['numbers of another place', '@@ -100,3 +100,3 @@\n a\n-b\n+B\n c\n'],
    ['a mail signature behind it', '@@ -1,5 +1,5 @@\n a\n-b\n+B\n c\n-- \n2.39.5\n\n'],
    ['blank lines behind it', '@@ -1,9 +1,9 @@\n a\n-b\n+B\n c\n\n\n'],
    ['a lost last context line', '@@ -1,4 +1,4 @@\n a\n-b\n+B\n c\n'],
  ])('applies when its lines are clear: %s', async (_what, hunk) => {
    expect(await patched(content, part(hunk))).toMatchObject({ status: 'succeeded', content: 'a\nB\nc\nd\ne\n' });
  });

  it.each([
    ['counted', '@@ -1,4 +1,4 @@\n a\n-b\n+B\n c\n\n'],
    ['not counted', '@@ -1,3 +1,3 @@\n a\n-b\n+B\n c\n\n'],
    ['in the middle', '@@ -1,5 +1,5 @@\n a\n-b\n+B\n c\n\n d\n'],
  ])('applies when an empty context line has lost its blank: %s', async (_where, hunk) => {
    expect(await patched('a\nb\nc\n\nd\n', part(hunk))).toMatchObject({ content: 'a\nB\nc\n\nd\n' });
  });

  it.each([
    ['a/f', 'f'],
    ['f', 'b/f'],
    ['a/f.orig', 'b/f'],
    ['f\t2024-01-01 00:00:00.000000000 +0000', 'f 2024-01-01 00:00:00 +0000'],
    ['i/f', 'w/f'],
    ['"a/f"', '"b/\\146"'],
  ])('applies with the names %s and %s', async (from, to) => {
    const patch = `--- ${from}\n+++ ${to}\n@@ -1,2 +1,2 @@\n a\n-b\n+B\n`;
    expect(await patched('a\nb\n', patch)).toMatchObject({ status: 'succeeded', content: 'a\nB\n' });
  });

  it('is refused when it is not clear where it ends, and the line is named', async () => {
    const result = await patched(content, part('@@ -1,9 +1,9 @@\n a\n-b\n+B\nc\n d\n'));
    expect(result).toMatchObject({ error_code: 'invalid_patch', content });
    expect(result.output).toContain(
      'line 7 of the patch: "c" in the hunk "@@ -1,9 +1,9 @@" begins neither with a blank',
    );
  });

  it('is refused when lines beyond its counts follow the last line of the file, which git leaves out', async () => {
    const none = '\\ No newline at end of file\n';
    const result = await patched('a\nb', part(`@@ -1,2 +1 @@\n a\n-b\n${none}-@ -1,2 +1 @@\n-b\n${none}`));
    expect(result).toMatchObject({ error_code: 'invalid_patch', content: 'a\nb' });
    expect(result.output).toContain('a line without a line break ("\\ No newline at end of file") is not the last one');
  });

  it('is refused when its lines fit several places, and the places are named', async () => {
    const twice = `${content}${content}`;
    const result = await patched(twice, part('@@ @@\n a\n-b\n+B\n c\n'));
    expect(result).toMatchObject({ error_code: 'context_differs', content: twice });
    expect(result.output).toContain('its lines fit 2 places (lines 1, 6)');
  });
});

describe('the error for a hunk that does not fit', () => {
  it('names file, hunk, line, expectation, what is there, and the nearest place', async () => {
    const content = 'x\ny\nfunction f() {\n  return 1;\n}\n';
    const hunk = '@@ -1,3 +1,3 @@\n function f() {\n-  return 2;\n+  return 3;\n }\n';
    const { output } = await patched(content, part(hunk));
    expect(output).toBe(
      'f: hunk 1 of 1 (@@ -1,3 +1,3 @@, line 3 of the patch) does not fit: the nearest place is line 3, where 2 of its 3 old lines fit; line 5 of the patch expects "  return 2;", but line 4 of the file is "  return 1;"; read the file again and write the hunk from what it holds now',
    );
  });

  it('names the line that differs also behind thousands of lines that fit', async () => {
    const content = 'x\n'.repeat(3_000);
    const hunk = `@@ -1,2501 +1,2501 @@\n${' x\n'.repeat(2_500)}-y\n+z\n`;
    const { output } = await patched(content, part(hunk));
    expect(output).toContain('the nearest place is line 1, where 2500 of its 2501 old lines fit');
    expect(output).toContain('line 2504 of the patch expects "y", but line 2501 of the file is "x";');
  });

  it('says when only white space differs, and when the file ends before', async () => {
    const spaces = await patched('a\n\tb\nc\n', part('@@ -1,3 +1,3 @@\n a\n-  b\n+B\n c\n'));
    expect(spaces.output).toContain('but line 2 of the file is "\\tb" (only white space differs)');
    const short = await patched('a\n', part('@@ -1,2 +1,2 @@\n a\n-b\n+B\n'));
    expect(short.output).toContain('expects "b" at line 2, but the file has 1 lines');
  });

  it('says so as well for blanks at the end of a last line without a line break, which git would remove', async () => {
    const hunk = '@@ -1,2 +1,2 @@\n-a\n+A\n --\n\\ No newline at end of file\n';
    const { output, content } = await patched('a\n-- ', part(hunk));
    expect(output).toContain('expects "--", but line 2 of the file is "-- " (only white space differs)');
    expect(content).toBe('a\n-- ');
  });

  it('shows no line that may be part of a secret', async () => {
    const { output } = await patched(`a\n${SECRET}\nb\n`, part('@@ -1,3 +1,3 @@\n a\n-x\n+y\n b\n'));
    expect(output).toContain('line 2 of the file is not shown, as it may be part of a secret');
    expect(output).not.toContain('hunter2');
  });

  it('says how to write a patch when there is none', async () => {
    const { output, error_code } = await patched('a\n', '*** Begin Patch\n*** Update File: f\n-a\n+b\n*** End Patch\n');
    expect(error_code).toBe('invalid_patch');
    expect(output).toContain('this is no unified diff: a part begins with the lines "--- a/path" and "+++ b/path"');
  });
});

describe('a patch that costs much', () => {
  /** The longest processor time between two turns of the event loop while a patch is applied, in milliseconds. */
  async function longestSilence(content: string, patch: string): Promise<{ longest: number; code: string | null }> {
    tools.makeFiles({ f: content });
    let longest = 0;
    let isDone = false;
    const turning = (async () => {
      for (let turn = process.threadCpuUsage(); !isDone; turn = process.threadCpuUsage()) {
        await setImmediate();
        const { user, system } = process.threadCpuUsage(turn);
        longest = Math.max(longest, (user + system) / 1_000);
      }
    })();
    const { error_code } = await tools.run('conductor::files/patch', { patch });
    isDone = true;
    await turning;
    return { longest, code: error_code };
  }
  const context = ' \n'.repeat(8_000);

  it.each([
    ['8,000 equal context lines over 400,000 equal lines', part(`@@ @@\n${context}-x\n+y\n`), 'context_differs'],
    ['the same with numbers', part(`@@ -9,8001 +9,8001 @@\n${context}-x\n+y\n`), 'context_differs'],
    [
      'a thousand hunks that are nowhere',
      part(...Array.from({ length: 1_000 }, (_n, at) => `@@ -${at + 2},2 +${at + 2},2 @@\n \n-x\n+${at}\n`)),
      'context_differs',
    ],
    [
      'a thousand hunks at other places',
      part(...Array.from({ length: 1_000 }, (_n, at) => `@@ -${at + 9},3 +${at + 9},3 @@\n \n-${at}\n+x\n \n`)),
      'patch_too_large',
    ],
  ])('leaves the event loop its turns: %s', async (_what, patch, expected) => {
    const numbers = Array.from({ length: 1_000 }, (_n, at) => `\n${999 - at}\n\n`).join('');
    const { longest, code } = await longestSilence('\n'.repeat(400_000) + numbers, patch);
    expect(code).toBe(expected);
    expect(longest).toBeLessThan(250);
  });

  it('ends when the instruction is canceled', async () => {
    const hunks = Array.from({ length: 1_000 }, (_n, at) => `@@ -${at + 9},3 +${at + 9},3 @@\n \n-${at}\n+x\n \n`);
    const numbers = Array.from({ length: 1_000 }, (_n, at) => `\n${999 - at}\n\n`).join('');
    tools.makeFiles({ f: '\n'.repeat(400_000) + numbers });
    const abort = new AbortController();
    const running = tools.run('conductor::files/patch', { patch: part(...hunks) }, { signal: abort.signal });
    await setImmediate();
    abort.abort('canceled');
    expect(await running).toMatchObject({ status: 'canceled', error_code: 'canceled' });
  });
});
