/** Which program listens on a port of this machine: from `/proc` on Linux, from `lsof` on other systems. */
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { connect } from 'node:net';
import { processIds, readProc } from '../host/processes.ts';
import { askProgram } from './ask-program.ts';

export interface Listener {
  /** Null for a process of another user. */
  pid: number | null;
  /** Its command line. */
  command: string | null;
}

const UNKNOWN: Listener = { pid: null, command: null };
const CONNECT_MS = 1_000;
const LSOF_MS = 3_000;
/** The state of a listening socket in `/proc/net/tcp`. */
const LISTEN = '0A';

function takesConnections(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: '127.0.0.1', port, timeout: CONNECT_MS });
    const end = (taken: boolean): void => {
      socket.destroy();
      resolve(taken);
    };
    socket.once('connect', () => end(true));
    socket.once('timeout', () => end(true));
    socket.once('error', () => end(false));
  });
}

/** The inodes of the sockets that listen on the port, from the text of `/proc/net/tcp` or `tcp6`. */
export function listeningInodes(table: string, port: number): string[] {
  const wanted = port.toString(16).toUpperCase().padStart(4, '0');
  return table.split('\n').flatMap((line) => {
    const fields = line.trim().split(/\s+/);
    const [, local = '', , state, , , , , , inode] = fields;
    return state === LISTEN && local.endsWith(`:${wanted}`) && inode !== undefined ? [inode] : [];
  });
}

function holds(pid: string, inodes: ReadonlySet<string>): boolean {
  try {
    return readdirSync(`/proc/${pid}/fd`).some((fd) => {
      const target = readlinkSync(`/proc/${pid}/fd/${fd}`);
      return inodes.has(/^socket:\[(\d+)\]$/.exec(target)?.[1] ?? '');
    });
  } catch {
    return false;
  }
}

function onLinux(port: number): Listener {
  const read = (name: string): string => {
    try {
      return readFileSync(`/proc/net/${name}`, 'utf8');
    } catch {
      return '';
    }
  };
  const inodes = new Set(['tcp', 'tcp6'].flatMap((name) => listeningInodes(read(name), port)));
  const pid = inodes.size === 0 ? undefined : processIds().find((one) => holds(one, inodes));
  if (pid === undefined) return UNKNOWN;
  return { pid: Number(pid), command: readProc(pid, 'cmdline').replaceAll('\0', ' ').trim() || null };
}

/** Reads the output of `lsof -F pc`: lines of a letter and a value. */
export function parseLsof(text: string): Listener {
  const value = (letter: string) => new RegExp(`^${letter}(.+)$`, 'm').exec(text)?.[1] ?? null;
  const pid = value('p');
  return pid === null ? UNKNOWN : { pid: Number(pid), command: value('c') };
}

/** Who listens on that port of 127.0.0.1; null when it is free. */
export async function listenerOf(
  port: number,
  env: Readonly<Record<string, string | undefined>>,
): Promise<Listener | null> {
  if (!(await takesConnections(port))) return null;
  if (process.platform === 'linux') return onLinux(port);
  const argv = ['lsof', '-nP', `-iTCP:${port}`, '-sTCP:LISTEN', '-F', 'pc'];
  return parseLsof((await askProgram(argv, { timeoutMs: LSOF_MS, env })).text);
}
