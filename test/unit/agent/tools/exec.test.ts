import { chmodSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it, vi } from 'vitest';
import type { ToolContext } from '../../../../local-agent/tools/tool.ts';
import { INSTRUCTION } from '../../../../schema/defaults.ts';
import { SECRET, ToolRun } from './tool-run.ts';

const tools = new ToolRun();
const exec = (params: object, with_?: Partial<ToolContext>) => tools.run('conductor::exec', params, with_);

describe('exec', () => {
  it('an argv runs in the first root; exit code and both outputs are reported', async () => {
    const result = await exec({ argv: ['sh', '-c', 'pwd -P; echo bad >&2; exit 4'] });
    expect(result).toMatchObject({ status: 'failed', error_code: 'exit_code', exit_code: 4, truncated: false });
    expect(result.output).toBe(`${tools.root}\n\n[stderr]\nbad\n`);
  });

  it('a script runs by the shell, in the folder of the call', async () => {
    mkdirSync(join(tools.root, 'inner'));
    const result = await exec({ command: 'pwd -P && cat', cwd: 'inner', stdin: 'in' });
    const output = `${join(tools.root, 'inner')}\nin`;
    expect(result).toMatchObject({ status: 'succeeded', output, exit_code: 0 });
  });

  it('a program gets the given variables and a few of the agent, without its tokens', async () => {
    const { output } = await exec({ argv: ['env'], env: { GIVEN: 'yes' } });
    const names = output.split('\n').map((line) => line.split('=')[0] ?? '');
    const others = names.filter((name) => name !== '' && !name.startsWith('GIT_')).sort();
    const person = ['HOME', 'LANG', 'LC_CTYPE', 'LOGNAME', 'PAGER', 'PATH', 'SHELL', 'TERM', 'USER'];
    expect(others).toEqual(['CONDUCTOR_RUN', 'GIVEN', ...person]);
  });

  it('programs are looked up in absolute folders only', async () => {
    writeFileSync(join(tools.root, 'tool'), '#!/bin/sh\necho planted\n', { mode: 0o755 });
    const env = { PATH: `.:${process.env.PATH}` };
    const result = await exec({ argv: ['tool'] }, { env });
    expect(result).toMatchObject({ error_code: 'program_not_found' });
    expect(result.output).toContain('there is no program tool');
    expect(result.output).toContain('set program_path in config.toml');
  });

  it('a program in a folder of PATH that the chat can write is not found', async () => {
    tools.makeFiles({ 'bin/git': '#!/bin/sh\necho planted' });
    chmodSync(join(tools.root, 'bin/git'), 0o755);
    const env = { PATH: `${join(tools.root, 'bin')}:${process.env.PATH}` };
    expect((await exec({ argv: ['git', '--version'] }, { env })).output).toMatch(/^git version/);
    expect((await exec({ argv: ['git', '--version'] }, { programPath: env.PATH })).output).toBe('planted\n');
  });

  it('a folder is named from the home of the user', async () => {
    mkdirSync(join(tools.root, 'inner'));
    vi.stubEnv('HOME', tools.root);
    expect((await exec({ argv: ['pwd', '-P'], cwd: '~/inner' })).output).toBe(`${join(tools.root, 'inner')}\n`);
    vi.unstubAllEnvs();
  });

  it('a missing folder is named as it was given', async () => {
    const { error_code, output } = await exec({ argv: ['pwd'], cwd: 'a/missing' });
    expect(error_code).toBe('not_found');
    expect(output).toBe(`${join(tools.root, 'a/missing')}: no such folder. Name an existing folder inside the roots`);
  });

  it.each(['..', '/', 'link'])('the folder %s outside the roots is denied', async (cwd) => {
    symlinkSync(tools.base, join(tools.root, 'link'));
    const denied = { status: 'denied', error_code: 'path_outside_roots' };
    expect(await exec({ argv: ['pwd'], cwd })).toMatchObject(denied);
  });

  it('a program is ended at its time limit', async () => {
    const result = await exec({ argv: ['sleep', '600'], timeout_ms: 100 });
    expect(result).toMatchObject({ status: 'failed', error_code: 'timeout', exit_code: null });
  });

  it('the time limit of a call cannot exceed that of the host', async () => {
    const result = await exec({ argv: ['sleep', '600'], timeout_ms: 60_000 }, { timeoutMs: 100 });
    expect(result.error_code).toBe('timeout');
  });

  it('a flood of output is truncated', async () => {
    const flood = fileURLToPath(new URL('../../../fixtures/flood.mjs', import.meta.url));
    const floodFor = (timeout_ms: number) => exec({ argv: [process.execPath, flood], timeout_ms });
    let result = await floodFor(500);
    // On a busy machine the program may not have begun by then.
    for (let ms = 1_000; !result.truncated && ms < 10_000; ms *= 2) result = await floodFor(ms);
    expect(result).toMatchObject({ error_code: 'timeout', truncated: true });
    expect(Buffer.byteLength(result.output)).toBeLessThan(INSTRUCTION.max_output_bytes + 100);
  });

  it('no part of a secret that lies across a cut is reported, wherever the cuts are', async () => {
    const result = await exec({ command: `yes ${SECRET} | tr -d '\\n' | head -c 3000000` });
    expect(result.truncated).toBe(true);
    // The marks may be cut, the secret may not.
    expect(result.output.replace(/\n\[conductor\].*\n/, '')).toMatch(/^(\[|r|e|d|a|c|t|\])+$/);
    expect(result.output).not.toMatch(/hunter|2-h|ter2/);
  });

  it('of a long output the end is reported with the beginning, and how much lies between', async () => {
    const script = 'echo first; yes 123456789 | head -n 100000; echo the failure; exit 1';
    const { output, truncated } = await exec({ command: script });
    expect(truncated).toBe(true);
    expect(output.startsWith('first\n123456789\n')).toBe(true);
    expect(output.endsWith('123456789\nthe failure\n')).toBe(true);
    const [note, bytes, lines] = /\[conductor\] (\d+) bytes \((\d+) lines\) were left out here/.exec(output) ?? [];
    const kept = Buffer.byteLength(output) - Buffer.byteLength(`${note} and are not kept\n`);
    expect(Number(bytes) + kept - 1).toBeCloseTo(1_000_018, -1);
    expect(Number(lines)).toBeCloseTo((Number(bytes) / 1_000_018) * 100_002, -1);
    expect(Buffer.byteLength(output)).toBeLessThanOrEqual(INSTRUCTION.max_output_bytes);
    expect(kept).toBeGreaterThan(INSTRUCTION.max_output_bytes - 20_000);
  });

  it('both outputs share the limit', async () => {
    const { output } = await exec({ command: 'yes out | head -c 900000; yes err | head -c 900000 >&2' });
    const [stdout = '', stderr = ''] = output.split('\n[stderr]\n');
    expect(stdout.length).toBeGreaterThan(100_000);
    expect(stderr.length).toBeGreaterThan(100_000);
    expect(output.length).toBeLessThanOrEqual(INSTRUCTION.max_output_bytes);
  });

  it.each([
    [{ argv: ['sh', '-c', 'kill -SEGV $$'] }, 'the program was ended by SIGSEGV'],
    [
      { argv: ['sh', '-c', 'kill -KILL $$'] },
      'the program was ended by SIGKILL; the system does that when memory runs out',
    ],
    [{ argv: ['sh', '-c', 'kill -TERM $$'] }, 'the program was ended by SIGTERM'],
    [{ command: 'sh -c "kill -SEGV \\$\\$"; exit $?' }, 'exit code 139 is how a shell reports'],
    [{ argv: ['sleep', '60'], timeout_ms: 50 }, 'the time limit of 50 ms was reached; it was ended by SIGTERM'],
  ])('%j: the output names the signal', async (params, note) => {
    expect((await exec(params)).output).toContain(`[conductor] ${note}`);
  });

  it('what a program leaves running is ended and named, without its secrets', async () => {
    const { status, output } = await exec({ command: `echo up; setsid sh -c 'sleep 60; : ${SECRET}' &` });
    expect(status).toBe('succeeded');
    expect(output).toContain('up\n[conductor] ended what the program left running: sh -c sleep 60; : [redacted] (pid');
  });

  it('an output is reported as a terminal would show it', async () => {
    const script = `printf '\\033[31mred\\033[0m \\007bell\\n10%%\\r50%%\\r100%%\\nend\\r\\n'`;
    expect((await exec({ command: script })).output).toBe('red bell\n100%\nend\n');
  });

  it('a program has a UTF-8 locale and the person of its account', async () => {
    const { output } = await exec({
      command: 'locale charmap; printf "ä" | wc -m; echo "$USER $LOGNAME $SHELL $HOME"',
    });
    const { username } = userInfo();
    expect(output).toMatch(new RegExp(`^UTF-8\n1\n${username} ${username} \\S+ /home/someone\n$`));
  });
});
