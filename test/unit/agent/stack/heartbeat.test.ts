import { EventEmitter, once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { watchHeartbeat } from '../../../../local-agent/stack/heartbeat.ts';
import { REPOSITORY } from '../../../../local-agent/stack/layout.ts';
import { sayRecovery } from '../../../../local-agent/stack/say-recovery.ts';
import { HEARTBEAT } from '../../../../local-agent/stack/send-heartbeats.ts';
import type { SupervisedEvents } from '../../../../local-agent/stack/supervised.ts';
import { Supervised } from '../../../../local-agent/stack/supervised.ts';
import { tempDir } from '../../../support/temp-dir.ts';

const HEARTBEAT_FILE = pathToFileURL(join(REPOSITORY, 'local-agent/stack/send-heartbeats.ts')).href;

/** A child that sends heartbeats and then does what `then` says, supervised with short limits. */
async function superviseProgram(then: string) {
  const program = join(tempDir(), 'program.ts');
  writeFileSync(
    program,
    `import { sendHeartbeats } from '${HEARTBEAT_FILE}';
     sendHeartbeats({ intervalMs: 20 });
     ${then}`,
  );
  const said: string[] = [];
  const say = (line: string) => said.push(line);
  const child = new Supervised({ name: 'agent', args: [program], cwd: REPOSITORY, env: {} }, say);
  const stopWatching = watchHeartbeat(child, say, { intervalMs: 100, missed: 20, graceMs: 200 });
  onTestFinished(async () => {
    stopWatching();
    await child.stop(0);
  });
  const heard = once(child, 'message');
  child.start();
  await heard;
  return { child, said };
}

/** What the watch sees of a child that never says anything. */
class SilentChild extends EventEmitter<SupervisedEvents> {
  readonly name = 'agent';
  readonly pid = 1;
  readonly terminate = vi.fn<(graceMs: number) => void>();
}

describe('a supervised program', () => {
  it('that a listener gives up at its death is not started again, and the supervisor does not say that it is', async () => {
    const said: string[] = [];
    const spec = { name: 'edge', args: ['-e', 'process.exit(3)'], cwd: REPOSITORY, env: {} };
    const child = new Supervised(spec, (line) => said.push(line));
    child.once('died', () => void child.stop(0));
    const died = once(child, 'died');
    child.start();
    expect(await died).toEqual(['exit code 3']);
    expect(said).toEqual([]);
  });
});

describe('a child that was started again', () => {
  /** A child whose readiness the test decides. */
  function watchedChild() {
    const child = new SilentChild();
    const said: string[] = [];
    const readies: (() => void)[] = [];
    const ready = (signal: AbortSignal) =>
      new Promise<void>((resolve, reject) => {
        readies.push(resolve);
        signal.addEventListener('abort', () => reject(new Error('it died')));
      });
    sayRecovery(child, ready, (line) => said.push(line));
    return { child, said, readies };
  }

  it('is said to respond again once, when it does, and its first start is not', async () => {
    const { child, said, readies } = watchedChild();
    child.emit('started', 1);
    expect(readies).toHaveLength(0);
    child.emit('died', 'SIGKILL');
    child.emit('started', 2);
    await Promise.resolve();
    expect(said).toEqual([]);
    readies[0]?.();
    await expect.poll(() => said).toEqual(['agent responds again']);
  });

  it('that dies before it responds is said to respond when a later one does', async () => {
    const { child, said, readies } = watchedChild();
    for (const pid of [2, 3]) {
      child.emit('died', 'SIGKILL');
      child.emit('started', pid);
    }
    readies[0]?.();
    readies[1]?.();
    await expect.poll(() => said).toEqual(['agent responds again']);
  });
});

describe('a supervised agent', () => {
  afterEach(() => vi.useRealTimers());

  it('that is stopped by SIGSTOP is killed and started again, and the supervisor says so', async () => {
    const { child, said } = await superviseProgram('setInterval(() => undefined, 1000);');
    const before = child.pid ?? 0;
    const started = once(child, 'started');
    process.kill(before, 'SIGSTOP');
    await started;
    expect(child.pid).not.toBe(before);
    expect(said).toEqual([
      'agent has not responded for 2 s; it is ended and started again',
      expect.stringMatching(/^agent died \(SIGKILL\); starting it again/),
    ]);
  });

  it('whose event loop is blocked is killed and started again', async () => {
    const { child, said } = await superviseProgram('setTimeout(() => { for (;;); }, 50);');
    await once(child, 'started');
    expect(said[0]).toBe('agent has not responded for 2 s; it is ended and started again');
  });

  it('is not ended after a sleep of the machine: the hours count as one interval', () => {
    vi.useFakeTimers();
    const child = new SilentChild();
    onTestFinished(watchHeartbeat(child, () => undefined));
    for (let interval = 1; interval < HEARTBEAT.missed; interval += 1) {
      vi.setSystemTime(Date.now() + 3_600_000);
      vi.advanceTimersByTime(HEARTBEAT.intervalMs);
    }
    expect(child.terminate).not.toHaveBeenCalled();
    vi.advanceTimersByTime(HEARTBEAT.intervalMs);
    expect(child.terminate).toHaveBeenCalledExactlyOnceWith(HEARTBEAT.graceMs);
  });

  it('that sends heartbeats is not ended', () => {
    vi.useFakeTimers();
    const child = new SilentChild();
    onTestFinished(watchHeartbeat(child, () => undefined));
    for (let interval = 0; interval < 3 * HEARTBEAT.missed; interval += 1) {
      vi.advanceTimersByTime(HEARTBEAT.intervalMs);
      child.emit('message', { type: 'heartbeat' });
    }
    expect(child.terminate).not.toHaveBeenCalled();
  });
});
