import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { setImmediate } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { groupMembers, startTicks } from '../../../../local-agent/host/processes.ts';
import { markVariable, newMark } from '../../../../local-agent/worker-runner/left-behind.ts';
import { describeProcess, killOrphan, startingProcess } from '../../../../local-agent/worker-runner/orphans.ts';

/** Starts a program in a session of its own, as `exec` does. Resolves after its first output. */
async function startProgram(script: string) {
  const child = spawn('/bin/sh', ['-c', script], { detached: true, stdio: ['ignore', 'pipe', 'ignore'] });
  const exited = once(child, 'exit');
  await once(child.stdout, 'data');
  if (child.pid === undefined) throw new Error('the program did not start');
  return { pid: child.pid, exited, child };
}

/** Resolves when no process of the group is left, which is a moment after the kill. */
async function waitForGroupEnd(pid: number): Promise<void> {
  while (groupMembers(pid).length > 0) await setImmediate();
}

describe('a program that outlived its agent', () => {
  it('its whole group is killed', async () => {
    const { pid, exited } = await startProgram('sleep 600 & echo on; wait');
    expect(killOrphan(describeProcess(pid))).toBe(true);
    await exited;
    await waitForGroupEnd(pid);
    expect(killOrphan({ pid, began: null, mark: null })).toBe(false);
  });

  it('its group is killed when the leader has ended and other members still run', async () => {
    const { pid, exited, child } = await startProgram('sleep 600 & echo on');
    const running = { pid, began: describeProcess(process.pid).began?.replace(/\d+$/, '0') ?? null, mark: null };
    await exited;
    child.stdout.destroy();
    expect(startTicks(pid)).toBeNull();
    expect(groupMembers(pid)).toHaveLength(1);
    expect(killOrphan(running)).toBe(true);
    await waitForGroupEnd(pid);
  });

  it('a process of it in a session of its own is killed by the mark', async () => {
    const mark = newMark();
    const env = { ...process.env, ...markVariable(mark) };
    const child = spawn('sleep', ['600'], { env, detached: true, stdio: 'ignore' });
    await once(child, 'spawn');
    const exited = once(child, 'exit');
    expect(killOrphan(startingProcess(mark))).toBe(true);
    expect(await exited).toEqual([null, 'SIGKILL']);
    expect(killOrphan(startingProcess(mark))).toBe(false);
  });

  it('a later process with the same id is not killed', async () => {
    const { pid, exited } = await startProgram('echo on; sleep 600');
    const { began } = describeProcess(pid);
    expect(killOrphan({ pid, began: `${began}1`, mark: null })).toBe(false);
    expect(startTicks(pid)).not.toBeNull();
    process.kill(-pid, 'SIGKILL');
    await exited;
  });
});
