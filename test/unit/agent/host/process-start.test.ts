import { spawn, spawnSync } from 'node:child_process';
import { setTimeout } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { livingProcess, stillRuns } from '../../../../local-agent/host/process-start.ts';

function psOf(pid: number | undefined, field: string): string {
  return spawnSync('ps', ['-o', `${field}=`, '-p', String(pid)], { encoding: 'utf8' }).stdout.trim();
}

/** A process that has ended, and whose parent does not reap it. */
async function zombie() {
  const script = 'sh -c "read go <&3" & echo $!; exec sleep 600';
  const { promise: printed, resolve } = Promise.withResolvers<string>();
  const parent = spawn('/bin/sh', ['-c', script], { stdio: ['ignore', 'pipe', 'ignore', 'pipe'] });
  parent.stdout?.once('data', (line) => resolve(String(line)));
  const pid = Number(await printed);
  // While it still is the shell, the parent may reap.
  while (!psOf(parent.pid, 'comm').endsWith('sleep')) await setTimeout(5);
  const [, , , go] = parent.stdio;
  if (go && 'end' in go) go.end('\n');
  while (!psOf(pid, 'stat').startsWith('Z')) await setTimeout(5);
  return { pid, release: () => parent.kill('SIGKILL') };
}

describe('a stored process', () => {
  it('it runs while its id and its start are those of a living process', () => {
    const self = livingProcess(process.pid);
    expect(self).toEqual({ pid: process.pid, began: expect.stringMatching(/./) });
    expect(stillRuns({ pid: process.pid, began: self?.began ?? null })).toBe(true);
  });

  it('it does not run when a process with another start has its id', () => {
    expect(stillRuns({ pid: process.pid, began: `${livingProcess(process.pid)?.began}1` })).toBe(false);
  });

  it('it runs, without a stored start, when a living process has its id', () => {
    expect(stillRuns({ pid: process.pid, began: null })).toBe(true);
  });

  it('it does not run when it is a zombie, which a signal still reaches', async () => {
    const { pid, release } = await zombie();
    expect(process.kill(pid, 0)).toBe(true);
    expect(stillRuns({ pid, began: null })).toBe(false);
    release();
  });
});

describe('a process on a system without /proc', () => {
  const STARTED = 'Thu Nov 26 01:04:50 2026';
  const listed = (line: string | null) => livingProcess(process.pid, () => line);

  it('its start is the text of ps', () => {
    expect(listed(`S+   ${STARTED}`)).toEqual({ pid: process.pid, began: STARTED });
  });

  it.each(['Z', 'Z+', ''])('the state %j is not that of a living process', (state) => {
    expect(listed(state === '' ? '' : `${state} ${STARTED}`)).toBeNull();
  });

  it('without ps it lives while a signal reaches its id, and its start stays unknown', () => {
    expect(listed(null)).toEqual({ pid: process.pid, began: null });
    const stored = { pid: process.pid, began: STARTED };
    expect(stillRuns(stored, () => listed(null))).toBe(true);
  });
});
