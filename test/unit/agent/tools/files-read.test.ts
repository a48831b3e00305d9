import { execFileSync } from 'node:child_process';
import { linkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { HTTP, INSTRUCTION } from '../../../../schema/defaults.ts';
import { SECRET, ToolRun } from './tool-run.ts';

const tools = new ToolRun();
const read = (params: object) => tools.run('conductor::files/read', params);

describe('files/read', () => {
  it('secrets are redacted in text and in base64', async () => {
    tools.makeFiles({ a: `token ${SECRET}\n` });
    const output = 'token [redacted]\n';
    expect(await read({ path: 'a' })).toMatchObject({ status: 'succeeded', output, truncated: false });
    const encoded = await read({ path: 'a', encoding: 'base64' });
    expect(Buffer.from(encoded.output, 'base64').toString()).toBe(output);
  });

  it('a slice leaves out characters that it cuts', async () => {
    tools.makeFiles({ a: 'aé€z' });
    expect(await read({ path: 'a', offset: 1, length: 3 })).toMatchObject({ output: 'é', truncated: false });
    expect(await read({ path: 'a', offset: 2, length: 4 })).toMatchObject({ output: '€' });
  });

  it.each([
    ['at the end of a file', Buffer.from('name: Ren\xe9', 'latin1'), {}],
    ['at the beginning of a file', Buffer.from('\x80abc', 'latin1'), {}],
    ['where a slice begins', Buffer.from('abc\xbfdef', 'latin1'), { offset: 3 }],
    ['where a slice ends', Buffer.from('abc\xe9def', 'latin1'), { length: 4 }],
    ['a whole file', Buffer.from('\xe9', 'latin1'), {}],
  ])('bytes that are no UTF-8 are refused, not left out: %s', async (_where, bytes, range) => {
    writeFileSync(join(tools.root, 'a'), bytes);
    expect(await read({ path: 'a', ...range })).toMatchObject({ status: 'failed', error_code: 'not_utf8' });
  });

  it('slices of any size put together are the file', async () => {
    const text = 'aé€𝄞z\u0800é';
    tools.makeFiles({ a: text });
    const size = Buffer.byteLength(text);
    for (let length = 4; length <= size; length += 1) {
      let joined = '';
      for (let offset = 0; offset < size; ) {
        const { output } = await read({ path: 'a', offset, length });
        joined += output;
        offset += Buffer.byteLength(output);
      }
      expect(joined).toBe(text);
    }
  });

  it('a file over the limit of an output is truncated', async () => {
    tools.makeFiles({ a: 'x'.repeat(INSTRUCTION.max_output_bytes + 1) });
    const result = await read({ path: 'a' });
    expect([result.output.length, result.truncated]).toEqual([INSTRUCTION.max_output_bytes, true]);
  });

  it('an output that grows when it is written as JSON is cut to the limit of a request', async () => {
    writeFileSync(join(tools.root, 'a'), Buffer.alloc(INSTRUCTION.max_output_bytes));
    const result = await read({ path: 'a' });
    expect(result).toMatchObject({ status: 'succeeded', truncated: true });
    expect(Buffer.byteLength(JSON.stringify(result))).toBeLessThan(HTTP.max_body_bytes);
  });

  it('a binary file can be read as base64 only', async () => {
    writeFileSync(join(tools.root, 'a'), Buffer.from([1, 0xff, 2, 3, 4, 5]));
    expect(await read({ path: 'a' })).toMatchObject({ status: 'failed', error_code: 'not_utf8' });
    expect(await read({ path: 'a', encoding: 'base64' })).toMatchObject({ output: 'Af8CAwQF' });
  });

  it.each([
    ['../outside/secret', 'denied', 'path_outside_roots'],
    ['hard', 'denied', 'hard_linked'],
    ['policy.json', 'denied', 'path_protected'],
    ['fifo', 'failed', 'not_a_file'],
    ['nothing', 'failed', 'not_found'],
  ])('reading %s is %s with %s', async (path, status, error_code) => {
    linkSync(join(tools.base, 'outside', 'secret'), join(tools.root, 'hard'));
    execFileSync('sh', ['-c', 'mkfifo "$0"', join(tools.root, 'fifo')]);
    expect(await read({ path })).toMatchObject({ status, error_code });
  });

  it.each(['utf8', 'base64'])('a secret is not read in parts, as %s', async (encoding) => {
    tools.makeFiles({ a: `x=${SECRET};` });
    let text = '';
    for (let offset = 0; offset < SECRET.length + 3; offset += 4) {
      const { output } = await read({ path: 'a', encoding, offset, length: 4 });
      text += encoding === 'utf8' ? output : Buffer.from(output, 'base64').toString();
    }
    expect(text.replaceAll('[redacted]', '')).toBe('x=;');
    for (let length = 4; length <= SECRET.length; length++) {
      expect(text).not.toContain(SECRET.slice(0, length));
      expect(text).not.toContain(SECRET.slice(-length));
    }
  });
});
