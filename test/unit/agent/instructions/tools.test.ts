import { execFileSync } from 'node:child_process';
import { linkSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openRoots } from '../../../../local-agent/host/roots.ts';
import { runHostTool } from '../../../../local-agent/tools/registry.ts';
import type { ToolContext } from '../../../../local-agent/tools/tool.ts';
import type { HostTool } from '../../../../schema/contracts/tools.ts';
import { HTTP, INSTRUCTION } from '../../../../schema/defaults.ts';
import { tempFolder } from './instruction-host.ts';

const SECRET = 'hunter2-hunter2';
let base: string;
let root: string;
beforeEach(() => {
  base = tempFolder();
  root = join(base, 'workspace');
  mkdirSync(root);
});
afterEach(() => rmSync(base, { recursive: true, force: true }));

function run(name: HostTool, params: unknown, with_: Partial<ToolContext> = {}) {
  const context: ToolContext = {
    roots: openRoots([root], [join(root, 'policy.json')]),
    redact: Object.assign((text: string) => text.replaceAll(SECRET, '[redacted]'), { undecided: () => 0 }),
    env: { PATH: process.env.PATH, HOME: '/home/someone', BAA_SHARED_TOKEN: SECRET },
    signal: new AbortController().signal,
    timeoutMs: 60_000,
    newTemporaryName: () => '.temporary',
    keeper: () => () => undefined,
    onProcess: () => undefined,
    onOutput: () => undefined,
    ...with_,
  };
  return runHostTool(name, params, context, () => performance.now());
}

describe('exec', () => {
  it('runs an argv in the first root and gives exit code and both outputs', async () => {
    const result = await run('conductor::exec', { argv: ['sh', '-c', 'pwd -P; echo bad >&2; exit 4'] });
    expect(result).toMatchObject({ status: 'failed', error_code: 'exit_code', exit_code: 4, truncated: false });
    expect(result.output).toBe(`${root}\n\n[stderr]\nbad\n`);
  });

  it('runs a script by the shell, in the folder it names', async () => {
    mkdirSync(join(root, 'inner'));
    const result = await run('conductor::exec', { command: 'pwd -P && cat', cwd: 'inner', stdin: 'in' });
    expect(result).toMatchObject({ status: 'succeeded', output: `${join(root, 'inner')}\nin`, exit_code: 0 });
  });

  it('hands down a few variables, those it was given, and none of the agent', async () => {
    const { output } = await run('conductor::exec', { argv: ['env'], env: { GIVEN: 'yes' } });
    expect(
      output
        .split('\n')
        .map((line) => line.split('=')[0])
        .filter(Boolean)
        .sort(),
    ).toEqual(['GIVEN', 'HOME', 'PATH']);
  });

  it('looks for programs in absolute folders only', async () => {
    writeFileSync(join(root, 'tool'), '#!/bin/sh\necho planted\n', { mode: 0o755 });
    const env = { PATH: `.:${process.env.PATH}` };
    expect(await run('conductor::exec', { argv: ['tool'] }, { env })).toMatchObject({
      error_code: 'program_not_found',
    });
  });

  it.each(['..', '/', 'link'])('refuses to work in %s', async (cwd) => {
    symlinkSync(base, join(root, 'link'));
    expect(await run('conductor::exec', { argv: ['pwd'], cwd })).toMatchObject({
      status: 'denied',
      error_code: 'path_outside_roots',
    });
  });

  it('ends what takes longer than it may', async () => {
    const result = await run('conductor::exec', { argv: ['sleep', '600'], timeout_ms: 100 });
    expect(result).toMatchObject({ status: 'failed', error_code: 'timeout', exit_code: null });
  });

  it('cannot be given more time than the host allows', async () => {
    const result = await run('conductor::exec', { argv: ['sleep', '600'], timeout_ms: 60_000 }, { timeoutMs: 100 });
    expect(result.error_code).toBe('timeout');
  });

  it('limits a flood and says so', async () => {
    const flood = fileURLToPath(new URL('../../../fixtures/flood.mjs', import.meta.url));
    const result = await run('conductor::exec', { argv: [process.execPath, flood], timeout_ms: 500 });
    expect(result).toMatchObject({ error_code: 'timeout', truncated: true });
    expect(Buffer.byteLength(result.output)).toBeLessThan(INSTRUCTION.max_output_bytes + 100);
  });

  it('redacts a secret that lies across the cut', async () => {
    const before = INSTRUCTION.max_output_bytes / 2 - 5;
    const script = `printf '%0${before}d' 0; printf ${SECRET}; printf '%05000d' 0`;
    const result = await run('conductor::exec', { command: script });
    expect(result.truncated).toBe(true);
    expect(result.output.slice(before)).toBe('[reda');
  });
});

describe('files/read', () => {
  const read = (params: object) => run('conductor::files/read', params);

  it('gives text, redacted', async () => {
    writeFileSync(join(root, 'a'), `token ${SECRET}\n`);
    expect(await read({ path: 'a' })).toMatchObject({
      status: 'succeeded',
      output: 'token [redacted]\n',
      truncated: false,
    });
    const { output } = await read({ path: 'a', encoding: 'base64' });
    expect(Buffer.from(output, 'base64').toString()).toBe('token [redacted]\n');
  });

  it('gives a part of it, without half characters at its ends', async () => {
    writeFileSync(join(root, 'a'), 'aé€z');
    expect(await read({ path: 'a', offset: 1, length: 3 })).toMatchObject({ output: 'é', truncated: false });
    expect(await read({ path: 'a', offset: 2, length: 4 })).toMatchObject({ output: '€' });
  });

  it('says that there is more than fits', async () => {
    writeFileSync(join(root, 'a'), 'x'.repeat(INSTRUCTION.max_output_bytes + 1));
    const result = await read({ path: 'a' });
    expect([result.output.length, result.truncated]).toEqual([INSTRUCTION.max_output_bytes, true]);
  });

  it('gives no more than the edge takes in one request, however it is written there', async () => {
    writeFileSync(join(root, 'a'), Buffer.alloc(INSTRUCTION.max_output_bytes));
    const result = await read({ path: 'a' });
    expect(result).toMatchObject({ status: 'succeeded', truncated: true });
    expect(Buffer.byteLength(JSON.stringify(result))).toBeLessThan(HTTP.max_body_bytes);
  });

  it('gives binary files as base64 only', async () => {
    writeFileSync(join(root, 'a'), Buffer.from([1, 0xff, 2, 3, 4, 5]));
    expect(await read({ path: 'a' })).toMatchObject({ status: 'failed', error_code: 'not_utf8' });
    expect(await read({ path: 'a', encoding: 'base64' })).toMatchObject({ output: 'Af8CAwQF' });
  });

  it.each([
    ['../secret', 'denied', 'path_outside_roots'],
    ['hard', 'denied', 'hard_linked'],
    ['policy.json', 'denied', 'path_protected'],
    ['fifo', 'failed', 'not_a_file'],
    ['nothing', 'failed', 'not_found'],
  ])('%s: %s with %s', async (path, status, error_code) => {
    writeFileSync(join(base, 'secret'), 's');
    linkSync(join(base, 'secret'), join(root, 'hard'));
    execFileSync('sh', ['-c', 'mkfifo "$0"', join(root, 'fifo')]);
    expect(await read({ path })).toMatchObject({ status, error_code });
  });
});

describe('files/write', () => {
  it('writes text and base64, and says what it did', async () => {
    expect(await run('conductor::files/write', { path: 'a', content: 'é' })).toMatchObject({
      status: 'succeeded',
      output: `wrote ${join(root, 'a')} (2 bytes)`,
    });
    await run('conductor::files/write', { path: 'b', content: 'Af8=', encoding: 'base64' });
    expect([...readFileSync(join(root, 'b'))]).toEqual([1, 255]);
  });

  it('refuses an existing file, bad base64, and the agent’s own files', async () => {
    await run('conductor::files/write', { path: 'a', content: '1' });
    const write = (params: object) => run('conductor::files/write', { path: 'a', content: '2', ...params });
    expect(await write({})).toMatchObject({ status: 'failed', error_code: 'exists' });
    expect(await write({ path: 'b', content: 'Af8', encoding: 'base64' })).toMatchObject({
      error_code: 'invalid_base64',
    });
    expect(await write({ path: 'policy.json', overwrite: true })).toMatchObject({
      status: 'denied',
      error_code: 'path_protected',
    });
    expect(readFileSync(join(root, 'a'), 'utf8')).toBe('1');
  });
});
