/** The living processes of a program, from `/proc` on Linux and from `ps` on other systems. */
import { execFile } from 'node:child_process';
import { setImmediate } from 'node:timers/promises';
import { promisify } from 'node:util';
import { outputsOf, processIds, readProc, statOf } from '../host/processes.ts';

const run = promisify(execFile);
const LINUX = process.platform === 'linux';

/** A process that belongs to a program: by its group, by a variable of its environment, or by where its output goes. */
export interface FoundProcess {
  pid: number;
  /** Its command line in one line. */
  command: string;
}

/** What processes are looked for: those of a group, and those whose environment has `variable`, as `NAME=value`. */
export interface ProcessQuery {
  /** Null for none. The group 0 is that of processes outside the container. */
  groupId: number | null;
  variable: string;
  /** Files that only the program's own processes have as an output. Other systems than Linux do not look at them. */
  outputs?: readonly string[];
}

function isFound(pid: string, group: number, { groupId, variable, outputs = [] }: ProcessQuery): boolean {
  if (group === groupId || readProc(pid, 'environ').split('\0').includes(variable)) return true;
  return outputs.length > 0 && outputsOf(pid).some((path) => outputs.includes(path));
}

function foundOnLinux(pid: string, query: ProcessQuery): FoundProcess | null {
  const found = statOf(pid);
  if (found === null || !isFound(pid, found.group, query)) return null;
  const command = Buffer.from(readProc(pid, 'cmdline').replaceAll('\0', ' ').trim(), 'latin1').toString('utf8');
  return { pid: Number(pid), command };
}

/** Reads the lines of `ps -A -E -ww -o pid=,pgid=,stat=,command=`, where the environment follows the command. */
export function parseProcessList(text: string, { groupId, variable }: ProcessQuery): FoundProcess[] {
  return text.split('\n').flatMap((line) => {
    const fields = /^\s*(\d+)\s+(\d+)\s+(\S+)\s+(.*)$/.exec(line);
    if (fields === null) return [];
    const [, pid, group, state = '', rest = ''] = fields;
    const isMarked = ` ${rest} `.includes(` ${variable} `);
    if (state.startsWith('Z') || (!isMarked && (groupId === null || Number(group) !== groupId))) return [];
    // The environment begins at the first word of the form NAME=value.
    return { pid: Number(pid), command: rest.replace(/ [A-Za-z_][A-Za-z0-9_]*=.*$/, '') };
  });
}

const PS_OPTIONS = { maxBuffer: 64 * 1024 * 1024, timeout: 5_000 };
/** Processes that are looked at before the event loop gets its turn. */
const BATCH = 100;

/** The living processes of a program. Processes of other users are not seen by their environment. */
export async function findProcesses(query: ProcessQuery): Promise<FoundProcess[]> {
  if (!LINUX) {
    const { stdout } = await run('/bin/ps', ['-A', '-E', '-ww', '-o', 'pid=,pgid=,stat=,command='], PS_OPTIONS);
    return parseProcessList(stdout, query);
  }
  const found: FoundProcess[] = [];
  for (const [n, pid] of processIds().entries()) {
    if (n % BATCH === BATCH - 1) await setImmediate();
    const one = foundOnLinux(pid, query);
    if (one !== null) found.push(one);
  }
  return found;
}

/** The same at once, for a start of the agent; on Linux only. */
export function findProcessesNow(query: ProcessQuery): FoundProcess[] {
  return LINUX ? processIds().flatMap((pid) => foundOnLinux(pid, query) ?? []) : [];
}
