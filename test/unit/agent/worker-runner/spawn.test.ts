import { spawnSync } from 'node:child_process';
import { realpathSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import type { ProgramRequest } from '../../../../local-agent/worker-runner/spawn.ts';
import { runProgram } from '../../../../local-agent/worker-runner/spawn.ts';

const fixture = (name: string) => fileURLToPath(new URL(`../../../fixtures/${name}`, import.meta.url));
const PATH = process.env.PATH ?? '';

function request(argv: string[], with_: Partial<ProgramRequest> = {}): ProgramRequest {
  return {
    argv,
    cwd: realpathSync(tmpdir()),
    env: { PATH },
    stdin: null,
    timeoutMs: 60_000,
    killGraceMs: 200,
    maxOutputBytes: 4_096,
    signal: new AbortController().signal,
    ...with_,
  };
}

/** Whether a process runs; one that has ended and waits to be collected does not. */
function runs(pid: number): boolean {
  const { error, stdout } = spawnSync('ps', ['-o', 'stat=', '-p', String(pid)], { encoding: 'utf8' });
  if (error) throw error;
  return stdout.trim() !== '' && !stdout.trim().startsWith('Z');
}

describe('runProgram', () => {
  it('gives exit code, stdout and stderr, and passes stdin', async () => {
    const end = await runProgram(request(['sh', '-c', 'cat; echo bad >&2; exit 3'], { stdin: 'hello' }));
    expect(end).toMatchObject({ started: true, exit_code: 3, stdout: 'hello', stderr: 'bad\n', stopped: null });
  });

  it('passes the given environment and nothing else', async () => {
    const end = await runProgram(request(['/usr/bin/env'], { env: { ONLY: 'this' } }));
    expect(end).toMatchObject({ stdout: 'ONLY=this\n' });
  });

  it('says that a program is not there', async () => {
    expect(await runProgram(request(['no-such-program-here']))).toMatchObject({ started: false, code: 'ENOENT' });
  });

  it('does not mind a program that leaves its input unread', async () => {
    const end = await runProgram(request(['true'], { stdin: 'x'.repeat(65_536) }));
    expect(end).toMatchObject({ started: true, exit_code: 0 });
  });

  it('keeps the beginning of a flood, drops the rest, and ends it when its time is up', async () => {
    const end = await runProgram(request([process.execPath, fixture('flood.mjs')], { timeoutMs: 500 }));
    expect(end).toMatchObject({ started: true, stopped: 'timeout', truncated: true });
    expect(end).toMatchObject({ stdout: 'x'.repeat(4_096), stderr: 'x'.repeat(4_096) });
  });

  it('kills a family that ignores SIGTERM, as a group', async () => {
    const end = await runProgram(request([fixture('stubborn-family.sh')], { timeoutMs: 500 }));
    expect(end).toMatchObject({ started: true, stopped: 'timeout', exit_code: null, signal: 'SIGKILL' });
    const child = Number(end.started && end.stdout);
    expect(child).toBeGreaterThan(0);
    expect(runs(child)).toBe(false);
  });

  it('does not wait for what a program leaves behind, and ends that too', async () => {
    const end = await runProgram(request([fixture('leaves-a-child.sh')]));
    expect(end).toMatchObject({ started: true, exit_code: 0 });
    expect(runs(Number(end.started && end.stdout))).toBe(false);
  });

  it('ends when it is not wanted any more', async () => {
    const aborted = AbortSignal.abort();
    const end = await runProgram(request(['sleep', '600'], { signal: aborted }));
    expect(end).toMatchObject({ started: true, stopped: 'aborted', signal: 'SIGTERM' });
  });
});
