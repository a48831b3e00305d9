/** What the checks ask of this machine, which tests replace. */
import { request } from 'undici';
import { HEADER } from '../../schema/contracts/common.ts';
import { knownRoots } from '../config/known-roots.ts';
import type { FirefoxBuild } from '../firefox/build-kind.ts';
import { readBuild, takesUnsigned } from '../firefox/build-kind.ts';
import { findFirefox } from '../firefox/find.ts';
import { freeBytes } from '../host/disk-space.ts';
import { canWriteIn, findProgram, isFolder, isOwn, setPermissions } from '../host/find-program.ts';
import { namesIn } from '../host/names-in.ts';
import { homeFolder, permissionsOf, readOwnFile } from '../host/own-files.ts';
import type { KnownProcess } from '../host/process-start.ts';
import { stillRuns } from '../host/process-start.ts';
import type { ServiceState } from '../service/state.ts';
import type { RefusedRequest } from '../store/read-refused.ts';
import { forgetRefused, readRefused } from '../store/read-refused.ts';
import type { ProgramSaid } from '../worker-runner/ask-program.ts';
import { askProgram } from '../worker-runner/ask-program.ts';
import type { Listener } from '../worker-runner/listeners.ts';
import { listenerOf } from '../worker-runner/listeners.ts';

type Environment = Readonly<Record<string, string | undefined>>;

/** A response to a request without a token; times are those of this machine. */
export interface Contact {
  status: number;
  /** The `date` header, Unix milliseconds. */
  date: number | null;
  /** The API's level; null when the response names none, so that it is not the edge's or that of an early version. */
  level: number | null;
  sentAt: number;
  receivedAt: number;
}
/** No response: within the time, or at all. */
export interface NoContact {
  reason: string;
  silent: boolean;
}

export interface Machine {
  nodeVersion: string;
  home: string;
  /** @throws the system's error when it exists and cannot be read */
  readFile: (path: string) => string | null;
  modeOf: (path: string) => number | null;
  setMode: (path: string, mode: number) => void;
  namesIn: (path: string) => string[];
  isFolder: (path: string) => boolean;
  canWriteIn: (path: string) => boolean;
  /** Whether it belongs to this user. */
  isOwn: (path: string) => boolean;
  freeBytes: (path: string) => number | null;
  isAlive: (process: KnownProcess) => boolean;
  listenerOf: (port: number) => Promise<Listener | null>;
  findProgram: (name: string, path: string) => string | null;
  askProgram: (argv: readonly string[], env?: Environment) => Promise<ProgramSaid>;
  get: (url: string, timeoutMs: number) => Promise<Contact | NoContact>;
  /** @throws Error when there is none */
  findFirefox: () => { program: string; build: FirefoxBuild };
  readRefused: (path: string) => RefusedRequest[];
  /** Gives how many there were. */
  forgetRefused: (path: string) => number;
  knownRoots: () => string[];
  /** Null on a system without services that this program knows. */
  serviceOf: (root: string) => Promise<ServiceState | null>;
}

const PROGRAM_MS = 3_000;

async function get(url: string, timeoutMs: number): Promise<Contact | NoContact> {
  const signal = AbortSignal.timeout(timeoutMs);
  const sentAt = Date.now();
  try {
    const { statusCode, headers, body } = await request(url, { signal });
    const receivedAt = Date.now();
    await body.dump();
    const date = Date.parse(String(headers.date));
    const level = headers[HEADER.api_level];
    return {
      status: statusCode,
      date: Number.isNaN(date) ? null : date,
      level: level === undefined ? null : Number(level),
      sentAt,
      receivedAt,
    };
  } catch (error) {
    return { reason: error instanceof Error ? error.message : String(error), silent: signal.aborted };
  }
}

export function systemMachine(env: Environment, serviceOf: Machine['serviceOf']): Machine {
  return {
    nodeVersion: process.versions.node,
    home: homeFolder(),
    readFile: readOwnFile,
    modeOf: permissionsOf,
    setMode: setPermissions,
    namesIn,
    isFolder,
    canWriteIn,
    isOwn,
    freeBytes,
    isAlive: stillRuns,
    listenerOf: (port) => listenerOf(port, env),
    findProgram,
    askProgram: (argv, own = env) => askProgram(argv, { timeoutMs: PROGRAM_MS, env: own }),
    get,
    findFirefox: () => {
      const program = findFirefox(undefined, env, (one) => takesUnsigned(readBuild(one)));
      return { program, build: readBuild(program) };
    },
    readRefused,
    forgetRefused,
    knownRoots: () => knownRoots(),
    serviceOf,
  };
}
