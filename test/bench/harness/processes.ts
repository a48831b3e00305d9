/** The processes of a program as Linux shows them: processor time and memory. */
import { readFileSync } from 'node:fs';
import { basename } from 'node:path';

export interface ProcessFigures {
  name: string;
  /** User and system time. */
  cpuSeconds: number;
  rssMb: number;
  /** What processes share counts once in all of them together. */
  pssMb: number;
}

/** Linux shows times in hundredths of a second on every machine. */
const TICKS_PER_SECOND = 100;
const KB_PER_MB = 1_000;

/** That process and its descendants, each as it is now; one that ends meanwhile is left out. */
export function processTree(pid: number, nameOf: (argv: string[]) => string): ProcessFigures[] {
  try {
    const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ').filter(Boolean).map(Number);
    return [figuresOf(pid, nameOf), ...children.flatMap((child) => processTree(child, nameOf))];
  } catch {
    return [];
  }
}

function figuresOf(pid: number, nameOf: (argv: string[]) => string): ProcessFigures {
  const argv = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0');
  // The second field is the name in parentheses, which may hold spaces.
  const [, rest = ''] = /^.*\) (.*)$/s.exec(readFileSync(`/proc/${pid}/stat`, 'utf8')) ?? [];
  const fields = rest.split(' ');
  return {
    name: nameOf(argv.map((part) => basename(part))),
    cpuSeconds: (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND,
    rssMb: kilobytes(`/proc/${pid}/status`, 'VmRSS') / KB_PER_MB,
    pssMb: kilobytes(`/proc/${pid}/smaps_rollup`, 'Pss') / KB_PER_MB,
  };
}

function kilobytes(path: string, field: string): number {
  return Number(new RegExp(`^${field}:\\s+(\\d+) kB$`, 'm').exec(readFileSync(path, 'utf8'))?.[1]);
}
