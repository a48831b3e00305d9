import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { describe, expect, it, onTestFinished } from 'vitest';
import { REPOSITORY } from '../../../../local-agent/stack/layout.ts';
import { tempDir } from '../../../support/temp-dir.ts';

const WATCHDOG_FILE = pathToFileURL(join(REPOSITORY, 'local-agent/host/watchdog.ts')).href;
/** A main thread that does nothing for this long is ended. */
const LIMITS = { lookMs: 50, looks: 20 };
const LIMIT_MS = LIMITS.lookMs * LIMITS.looks;

/** Runs a program under the watchdog. It prints `ready`, and then does what `body` says, in a function `hangHere`. */
function runWatched(body: string) {
  const folder = tempDir();
  const report = join(folder, 'hung.log');
  writeFileSync(
    join(folder, 'program.ts'),
    `import { startWatchdog } from '${WATCHDOG_FILE}';
     startWatchdog(${JSON.stringify(report)}, ${JSON.stringify(LIMITS)});
     setTimeout(function hangHere() { console.log('ready'); ${body} }, 100);`,
  );
  const child = spawn(process.execPath, [join(folder, 'program.ts')], { stdio: 'pipe' });
  onTestFinished(() => void child.kill('SIGKILL'));
  return { child, report, ready: once(child.stdout, 'data'), exited: once(child, 'close') };
}

describe('the watchdog of the agent', () => {
  it.each([
    ['a loop', 'for (;;);'],
    ['a slow regular expression', "/^(a+)+$/.test('a'.repeat(60) + 'b');"],
    ['a wait in native code', 'Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);'],
  ])('kills a process that hangs in %s, and reports the function', async (_name, body) => {
    const { report, exited } = runWatched(body);
    expect(await exited).toEqual([null, 'SIGKILL']);
    expect(readFileSync(report, 'utf8')).toMatch(
      /this process has hung for 1 s and is killed\n {4}at hangHere \(.*program\.ts:3\)/,
    );
  });

  it('does not kill a process that was stopped as a whole and continues, as after a sleep of the machine', async () => {
    const { child, report, ready, exited } = runWatched(`setTimeout(() => undefined, ${3 * LIMIT_MS});`);
    await ready;
    child.kill('SIGSTOP');
    // The stop itself has to last longer than the limit.
    await setTimeout(2 * LIMIT_MS);
    child.kill('SIGCONT');
    expect(await exited).toEqual([0, null]);
    expect(existsSync(report)).toBe(false);
  });
});
