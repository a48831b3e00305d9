/** What every manager of services can do with the one service of this program, and what it needs of the host. */
import type { InstalledService, ServicePlan } from './plan.ts';

export interface ProgramEnd {
  /** Null when the program was ended by a signal or by the time limit. */
  code: number | null;
  stdout: string;
  stderr: string;
}

/** The host as the managers see it; tests give them another. */
export interface ServiceHost {
  platform: NodeJS.Platform;
  home: string;
  uid: number;
  user: string;
  env: Readonly<Record<string, string | undefined>>;
  /** The Node that runs this. */
  execPath: string;
  /** The folder of this program. */
  program: string;
  /** Runs a program to its end, with a time limit; null when there is no such program. */
  run: (argv: readonly string[]) => Promise<ProgramEnd | null>;
  /** Runs a program on this terminal until it ends; resolves with its exit code. */
  attach: (argv: readonly string[]) => Promise<number>;
  exists: (path: string) => boolean;
  /** The path without symbolic links; null when nothing is there. */
  realPath: (path: string) => string | null;
  readFile: (path: string) => string | null;
  writeFile: (path: string, text: string) => void;
  removeFile: (path: string) => void;
  pause: (ms: number) => Promise<void>;
}

/** What the manager says about the service now. */
export interface Loaded {
  /** Whether the manager knows it, and starts it at the next login. */
  loaded: boolean;
  running: boolean;
  /** Whether it ends again and again: the manager starts it, and it does not stay. */
  fails: boolean;
  pid: number | null;
  /** The state in the manager's own word. */
  word: string;
}

export interface ServiceManager {
  name: 'launchd' | 'systemd';
  /** Path of the file that describes the service. */
  file: string;
  render: (plan: ServicePlan) => string;
  /** Null when the text is no file of this service. */
  read: (text: string) => InstalledService | null;
  look: () => Promise<Loaded>;
  /** Makes the manager read the file again, and starts what it says now. */
  apply: () => Promise<void>;
  start: () => Promise<void>;
  restart: () => Promise<void>;
  /** Stops it, and keeps it stopped after the next login too. */
  stop: () => Promise<void>;
  /** Stops it, removes its file and forgets it. */
  remove: () => Promise<void>;
  /** The command that shows what the service prints. */
  logCommand: (options: { follow: boolean; lines: number }, plan: Pick<ServicePlan, 'logsDir'>) => readonly string[];
  /** What a person has to know about when it starts; empty when there is nothing to say. */
  advice: () => Promise<string[]>;
}

/** The manager refused, or is not there; the message says what to do. */
export class ServiceError extends Error {
  override readonly name = 'ServiceError';
}

/** Runs a program of the manager. @throws ServiceError when it fails */
export async function demand(host: ServiceHost, argv: readonly string[], remedy: string): Promise<string> {
  const end = await host.run(argv);
  if (end === null) throw new ServiceError(`${argv[0]} is not installed on this machine: ${remedy}`);
  if (end.code === 0) return end.stdout;
  const words = (end.stderr || end.stdout).trim().replaceAll('\n', '; ');
  const how = end.code === null ? 'did not end in time' : `failed with exit code ${end.code}`;
  throw new ServiceError(`"${argv.join(' ')}" ${how}${words === '' ? '' : `: ${words}`}. ${remedy}`);
}
