import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
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
    const names = output.split('\n').map((line) => line.split('=')[0]);
    expect(names.filter(Boolean).sort()).toEqual(['GIVEN', 'HOME', 'PATH']);
  });

  it('programs are looked up in absolute folders only', async () => {
    writeFileSync(join(tools.root, 'tool'), '#!/bin/sh\necho planted\n', { mode: 0o755 });
    const env = { PATH: `.:${process.env.PATH}` };
    expect(await exec({ argv: ['tool'] }, { env })).toMatchObject({ error_code: 'program_not_found' });
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
    const result = await exec({ argv: [process.execPath, flood], timeout_ms: 500 });
    expect(result).toMatchObject({ error_code: 'timeout', truncated: true });
    expect(Buffer.byteLength(result.output)).toBeLessThan(INSTRUCTION.max_output_bytes + 100);
  });

  it('a secret that lies across the cut is redacted', async () => {
    const before = INSTRUCTION.max_output_bytes / 2 - 5;
    const result = await exec({ command: `printf '%0${before}d' 0; printf ${SECRET}; printf '%05000d' 0` });
    expect(result.truncated).toBe(true);
    expect(result.output.slice(before)).toBe('[reda');
  });
});
