import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, realpathSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it, vi } from 'vitest';
import { newMark } from '../../../../local-agent/worker-runner/left-behind.ts';
import type { Collected } from '../../../../local-agent/worker-runner/output.ts';
import type { ProgramRequest } from '../../../../local-agent/worker-runner/spawn.ts';
import { runProgram } from '../../../../local-agent/worker-runner/spawn.ts';

const fixture = (name: string) => fileURLToPath(new URL(`../../../fixtures/${name}`, import.meta.url));
const PATH = process.env.PATH ?? '';
/** How the names of folders begin in which pipes are made. */
const PIPE_FOLDER = 'conductor-';

function request(argv: string[], with_: Partial<ProgramRequest> = {}): ProgramRequest {
  return {
    argv,
    cwd: realpathSync(tmpdir()),
    env: { PATH },
    mark: newMark(),
    stdin: null,
    timeoutMs: 60_000,
    killGraceMs: 200,
    maxOutputBytes: 4_096,
    signal: new AbortController().signal,
    ...with_,
  };
}

/** How a started program ended, with its outputs as text. */
async function run(argv: string[], with_: Partial<ProgramRequest> = {}) {
  const end = await runProgram(request(argv, with_));
  if (!end.started) throw new Error(end.message);
  const textOf = ({ head, tail }: Collected) => Buffer.concat([head, tail]).toString();
  return { ...end, stdout: textOf(end.stdout), stderr: textOf(end.stderr), collected: end.stdout };
}

/** The end of a program at its time limit, which grows until the program has had the time to begin. */
async function runToItsLimit(argv: string[], hasBegun: (end: Awaited<ReturnType<typeof run>>) => boolean) {
  for (let timeoutMs = 500; ; timeoutMs *= 2) {
    const end = await run(argv, { timeoutMs });
    if (hasBegun(end) || timeoutMs > 10_000) return end;
  }
}

/** Whether a process runs. A zombie does not. */
function isRunning(pid: number): boolean {
  const { error, stdout } = spawnSync('ps', ['-o', 'stat=', '-p', String(pid)], { encoding: 'utf8' });
  if (error) throw error;
  return stdout.trim() !== '' && !stdout.trim().startsWith('Z');
}

describe('runProgram', () => {
  it('the program gets stdin; exit code, stdout and stderr are returned', async () => {
    const end = await run(['sh', '-c', 'cat; echo bad >&2; exit 3'], { stdin: 'hello' });
    expect(end).toMatchObject({ started: true, exit_code: 3, stdout: 'hello', stderr: 'bad\n', stopped: null });
  });

  it('the program gets the given environment and its mark, and no other variable', async () => {
    const { stdout } = await run(['/usr/bin/env'], { env: { ONLY: 'this' } });
    expect(stdout).toMatch(/^ONLY=this\nCONDUCTOR_RUN=[0-9a-f-]{36}\n$/);
  });

  it('the program opens its standard streams by name', async () => {
    const script = 'echo a > /dev/stderr; echo b | tee /dev/stderr; cat /dev/stdin > /dev/stdout';
    const end = await run(['sh', '-c', script], { stdin: 'in' });
    expect(end).toMatchObject({ exit_code: 0, stdout: 'b\nin', stderr: 'a\nb\n' });
  });

  it('a program without input reads the end of it at once', async () => {
    expect(await run(['cat', '/dev/stdin'])).toMatchObject({ exit_code: 0, stdout: '' });
  });

  it('no folder of its pipes is left', async () => {
    const folders = () => readdirSync(tmpdir()).filter((name) => name.startsWith(PIPE_FOLDER));
    vi.stubEnv('TMPDIR', mkdtempSync(join(tmpdir(), 'spawn-test-')));
    await run(['true']);
    await runProgram(request(['no-such-program-here']));
    expect(folders()).toEqual([]);
    vi.unstubAllEnvs();
  });

  it('a missing program is reported with the code of the system', async () => {
    expect(await runProgram(request(['no-such-program-here']))).toMatchObject({ started: false, code: 'ENOENT' });
  });

  it('a program that does not read its input is no failure', async () => {
    const end = await runProgram(request(['true'], { stdin: 'x'.repeat(65_536) }));
    expect(end).toMatchObject({ started: true, exit_code: 0 });
  });

  it('of a flood of output a part is kept, and the program is ended at its time limit', async () => {
    const end = await runToItsLimit(
      [process.execPath, fixture('flood.mjs')],
      ({ collected, stderr }) => collected.skipped !== null && stderr.length === 4_096,
    );
    expect(end).toMatchObject({ stopped: 'timeout', stdout: 'x'.repeat(4_096), stderr: 'x'.repeat(4_096) });
    expect(end.collected.skipped?.bytes).toBeGreaterThan(0);
  });

  it('of a long output the beginning and the end are kept, and what lies between is counted', async () => {
    const script = 'echo first; i=0; while [ $i -lt 2000 ]; do echo line $i; i=$((i+1)); done; echo last';
    const { collected } = await run(['sh', '-c', script]);
    const lines = ['first', ...Array.from({ length: 2_000 }, (_, n) => `line ${n}`), 'last', ''].join('\n');
    expect(collected.head.toString()).toBe(lines.slice(0, 1_024));
    expect(collected.tail.toString()).toBe(lines.slice(-3_072));
    const between = lines.slice(1_024, -3_072);
    expect(collected.skipped).toEqual({ bytes: between.length, lines: between.split('\n').length - 1 });
  });

  it('a group that ignores SIGTERM is killed', async () => {
    const end = await runToItsLimit([fixture('stubborn-family.sh')], ({ stdout }) => stdout !== '');
    expect(end).toMatchObject({ stopped: 'timeout', exit_code: null, signal: 'SIGKILL' });
    const child = Number(end.stdout);
    expect(child).toBeGreaterThan(0);
    expect(isRunning(child)).toBe(false);
  });

  it('processes that a program leaves in its group are killed, without waiting for them', async () => {
    const end = await run([fixture('leaves-a-child.sh')]);
    expect(end.exit_code).toBe(0);
    expect(isRunning(Number(end.stdout))).toBe(false);
    expect(end.leftBehind.map(({ pid }) => pid)).toEqual([Number(end.stdout)]);
  });

  it('a process in a session of its own is found by its mark, ended and named', async () => {
    // The program ends once the other process has its final command line.
    const isThere = `[ "$(tr '\\0' ' ' < /proc/$!/cmdline)" = 'sleep 600 ' ]`;
    const end = await run(['sh', '-c', `setsid sleep 600 & until ${isThere}; do sleep 0.01; done`]);
    expect(end.leftBehind.map(({ command }) => command)).toEqual(['sleep 600']);
    expect(end.leftBehind.filter(({ pid }) => isRunning(pid))).toEqual([]);
  });

  it('a process that left its session and ignores SIGTERM is killed', async () => {
    const stubborn = 'trap "" TERM; echo ready > "$0"; while :; do sleep 1; done';
    const script = 'mkfifo "$0"; setsid sh -c "$1" "$0" & read ready < "$0"';
    const end = await run(['sh', '-c', script, join(mkdtempSync(join(tmpdir(), 'spawn-test-')), 'ready'), stubborn]);
    expect(end.leftBehind.length).toBeGreaterThan(0);
    expect(end.leftBehind.filter(({ pid }) => isRunning(pid))).toEqual([]);
  });

  it('a process that ends by itself a moment after the program is not ended', async () => {
    const shortly = ['sh', '-c', '(sleep 0.03; echo late) & echo first'];
    let end = await run(shortly);
    // On a busy machine a moment can be too long. A process that is ended at once is ended each time.
    for (let attempt = 0; attempt < 20 && end.leftBehind.length > 0; attempt += 1) end = await run(shortly);
    expect(end).toMatchObject({ stdout: 'first\nlate\n', leftBehind: [] });
  });

  it('the signal that ended a program is named', async () => {
    expect(await run(['sh', '-c', 'kill -SEGV $$'])).toMatchObject({ exit_code: null, signal: 'SIGSEGV' });
  });

  it('an aborted signal ends the program', async () => {
    const aborted = AbortSignal.abort();
    const end = await runProgram(request(['sleep', '600'], { signal: aborted }));
    expect(end).toMatchObject({ started: true, stopped: 'aborted', signal: 'SIGTERM' });
  });
});
