/** The host of the services, as it is: its programs and files. */
import { spawn } from 'node:child_process';
import { existsSync, realpathSync } from 'node:fs';
import { userInfo } from 'node:os';
import { setTimeout } from 'node:timers/promises';
import { homeFolder, readOwnFile, removeOwnFile, replacePrivateFile } from '../host/own-files.ts';
import { PROGRAM_FOLDER } from '../host/program-file.ts';
import { errorCode } from '../lib/errno.ts';
import { launchd } from './launchd.ts';
import type { ProgramEnd, ServiceHost, ServiceManager } from './manager.ts';
import { systemd } from './systemd.ts';

/** Longer than a service takes to stop, which a manager waits for. */
const PROGRAM_MS = 60_000;
const MAX_OUTPUT_CHARS = 1024 * 1024;

type Environment = ServiceHost['env'];

/** A login by ssh or a job of cron may have no address of the user manager, which is the same on every system. */
function programEnvironment(env: Environment, uid: number): NodeJS.ProcessEnv {
  const runtime = `/run/user/${uid}`;
  return { ...env, LC_ALL: 'C', ...(env.XDG_RUNTIME_DIR ? {} : existsSync(runtime) && { XDG_RUNTIME_DIR: runtime }) };
}

function run([program = '', ...args]: readonly string[], env: NodeJS.ProcessEnv): Promise<ProgramEnd | null> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, {
      env,
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout: PROGRAM_MS,
      killSignal: 'SIGKILL',
    });
    const texts = { stdout: '', stderr: '' };
    for (const name of ['stdout', 'stderr'] as const) {
      child[name].setEncoding('utf8').on('data', (text: string) => {
        if (texts[name].length < MAX_OUTPUT_CHARS) texts[name] += text;
      });
    }
    child.once('error', (error) => (errorCode(error) === 'ENOENT' ? resolve(null) : reject(error)));
    child.once('close', (code) => resolve({ code, ...texts }));
  });
}

function attach([program = '', ...args]: readonly string[], env: NodeJS.ProcessEnv): Promise<number> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { env, stdio: 'inherit' });
    // Ctrl-C ends the program, which this one outlives.
    const ignore = () => undefined;
    process.on('SIGINT', ignore);
    child.once('error', reject);
    child.once('close', (code) => {
      process.off('SIGINT', ignore);
      resolve(code ?? 0);
    });
  });
}

export function serviceHost(env: Environment): ServiceHost {
  const { uid, username } = userInfo();
  const programEnv = programEnvironment(env, uid);
  return {
    platform: process.platform,
    home: homeFolder(),
    uid,
    user: username,
    env,
    execPath: process.execPath,
    program: PROGRAM_FOLDER,
    exists: existsSync,
    realPath,
    run: (argv) => run(argv, programEnv),
    attach: (argv) => attach(argv, programEnv),
    readFile: readOwnFile,
    writeFile: replacePrivateFile,
    removeFile: removeOwnFile,
    pause: (ms) => setTimeout(ms),
  };
}

function realPath(path: string): string | null {
  try {
    return realpathSync(path);
  } catch {
    return null;
  }
}

/** The manager of services of this platform; null when there is none that this program knows. */
export function managerOf(host: ServiceHost): ServiceManager | null {
  if (host.platform === 'darwin') return launchd(host);
  return host.platform === 'linux' ? systemd(host) : null;
}
