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

/** Whether a process runs. A zombie does not. */
function isRunning(pid: number): boolean {
  const { error, stdout } = spawnSync('ps', ['-o', 'stat=', '-p', String(pid)], { encoding: 'utf8' });
  if (error) throw error;
  return stdout.trim() !== '' && !stdout.trim().startsWith('Z');
}

describe('runProgram', () => {
  it('the program gets stdin; exit code, stdout and stderr are returned', async () => {
    const end = await runProgram(request(['sh', '-c', 'cat; echo bad >&2; exit 3'], { stdin: 'hello' }));
    expect(end).toMatchObject({ started: true, exit_code: 3, stdout: 'hello', stderr: 'bad\n', stopped: null });
  });

  it('the program gets the given environment and no other variable', async () => {
    const end = await runProgram(request(['/usr/bin/env'], { env: { ONLY: 'this' } }));
    expect(end).toMatchObject({ stdout: 'ONLY=this\n' });
  });

  it('a missing program is reported with the code of the system', async () => {
    expect(await runProgram(request(['no-such-program-here']))).toMatchObject({ started: false, code: 'ENOENT' });
  });

  it('a program that does not read its input is no failure', async () => {
    const end = await runProgram(request(['true'], { stdin: 'x'.repeat(65_536) }));
    expect(end).toMatchObject({ started: true, exit_code: 0 });
  });

  it('of a flood of output the beginning is kept, and the program is ended at its time limit', async () => {
    const end = await runProgram(request([process.execPath, fixture('flood.mjs')], { timeoutMs: 500 }));
    expect(end).toMatchObject({ started: true, stopped: 'timeout', truncated: true });
    expect(end).toMatchObject({ stdout: 'x'.repeat(4_096), stderr: 'x'.repeat(4_096) });
  });

  it('a group that ignores SIGTERM is killed', async () => {
    const end = await runProgram(request([fixture('stubborn-family.sh')], { timeoutMs: 500 }));
    expect(end).toMatchObject({ started: true, stopped: 'timeout', exit_code: null, signal: 'SIGKILL' });
    const child = Number(end.started && end.stdout);
    expect(child).toBeGreaterThan(0);
    expect(isRunning(child)).toBe(false);
  });

  it('processes that a program leaves in its group are killed, without waiting for them', async () => {
    const end = await runProgram(request([fixture('leaves-a-child.sh')]));
    expect(end).toMatchObject({ started: true, exit_code: 0 });
    expect(isRunning(Number(end.started && end.stdout))).toBe(false);
  });

  it('an aborted signal ends the program', async () => {
    const aborted = AbortSignal.abort();
    const end = await runProgram(request(['sleep', '600'], { signal: aborted }));
    expect(end).toMatchObject({ started: true, stopped: 'aborted', signal: 'SIGTERM' });
  });
});
