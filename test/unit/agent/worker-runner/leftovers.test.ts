import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { setImmediate } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { groupMembers, startTicks } from '../../../../local-agent/host/processes.ts';
import { describeProcess, killOrphan } from '../../../../local-agent/worker-runner/orphans.ts';

/** A program in a session of its own, as `exec` starts them, once it has said that it runs. */
async function program(script: string) {
  const child = spawn('/bin/sh', ['-c', script], { detached: true, stdio: ['ignore', 'pipe', 'ignore'] });
  const exited = once(child, 'exit');
  await once(child.stdout, 'data');
  if (child.pid === undefined) throw new Error('it did not start');
  return { pid: child.pid, exited, child };
}

/** A killed process is gone a moment after the kill; the test's own limit ends what never is. */
async function groupIsGone(pid: number): Promise<void> {
  while (groupMembers(pid).length > 0) await setImmediate();
}

describe('a program that outlived its agent', () => {
  it('is ended with its whole group', async () => {
    const { pid, exited } = await program('sleep 600 & echo on; wait');
    expect(killOrphan(describeProcess(pid))).toBe(true);
    await exited;
    await groupIsGone(pid);
    expect(killOrphan({ pid, began: null })).toBe(false);
  });

  it('is ended when its leader is gone and the rest goes on', async () => {
    const { pid, exited, child } = await program('sleep 600 & echo on');
    const running = { pid, began: describeProcess(process.pid).began?.replace(/\d+$/, '0') ?? null };
    await exited;
    child.stdout.destroy();
    expect(startTicks(pid)).toBeNull();
    expect(groupMembers(pid)).toHaveLength(1);
    expect(killOrphan(running)).toBe(true);
    await groupIsGone(pid);
  });

  it('is left alone when the number belongs to another process now', async () => {
    const { pid, exited } = await program('echo on; sleep 600');
    const { began } = describeProcess(pid);
    expect(killOrphan({ pid, began: `${began}1` })).toBe(false);
    expect(startTicks(pid)).not.toBeNull();
    process.kill(-pid, 'SIGKILL');
    await exited;
  });
});
