/** The thread of watchdog.ts. It writes with synchronous calls only, as all else would go through the hung main thread. */
import { appendFileSync, writeSync } from 'node:fs';
import type { Debugger } from 'node:inspector';
import { Session } from 'node:inspector';
import { workerData } from 'node:worker_threads';
import { signalGroup } from '../lib/kill-group.ts';
import type { WatchdogData } from './watchdog.ts';

const STDERR = 2;
const SECOND_MS = 1_000;
/** How long to wait for the stack. There is none while the main thread is in native code. */
const STACK_MS = 2_000;
const MAX_FRAMES = 20;

const { count, lookMs, looks, killGroup = false, reportFile } = workerData as WatchdogData;
const cell = new Int32Array(count);

/** Addresses of the scripts of the main thread, by their id; a call frame carries the id only. */
const scripts = new Map<string, string>();

function frameText({ functionName, location }: Debugger.CallFrame): string {
  const script = scripts.get(location.scriptId) ?? 'unknown script';
  return `    at ${functionName || '<anonymous>'} (${script}:${location.lineNumber + 1})`;
}

/** The report goes to standard error and to the file; either may fail, for example on a full disk. */
function report(text: string): void {
  for (const write of [() => writeSync(STDERR, text), () => appendFileSync(reportFile, text, { mode: 0o600 })]) {
    try {
      write();
    } catch {
      // There is no third place to report this to.
    }
  }
}

function end(where: string): void {
  const seconds = (lookMs * looks) / SECOND_MS;
  const head = `${new Date().toISOString()} this process has hung for ${seconds} s and is killed`;
  report(`${head}\n${where}\n`);
  if (killGroup) signalGroup(process.pid, 'SIGKILL');
  process.kill(process.pid, 'SIGKILL');
}

/** Pauses the main thread where it hangs, so that the report names the code. */
function endWithStack(): void {
  setTimeout(() => end('    in native code, or no stack could be read'), STACK_MS);
  const session = new Session();
  session.connectToMainThread();
  session.on('Debugger.scriptParsed', ({ params }) => scripts.set(params.scriptId, params.url));
  session.on('Debugger.paused', ({ params }) => end(params.callFrames.slice(0, MAX_FRAMES).map(frameText).join('\n')));
  session.post('Debugger.enable');
  session.post('Debugger.pause');
}

let seen = -1;
let unchanged = 0;
const timer = setInterval(() => {
  const now = Atomics.load(cell, 0);
  unchanged = now === seen ? unchanged + 1 : 0;
  seen = now;
  if (unchanged < looks) return;
  clearInterval(timer);
  endWithStack();
}, lookMs);
