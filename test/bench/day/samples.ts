/** What a system takes at one time of a day: memory of its processes, and its files. */
import { lstatSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { edgeStateOf } from '../../../local-agent/config/root-files.ts';
import { storageOf } from '../../../local-agent/stack/edge-storage.ts';
import { AGENT, EDGE, nameOf, RUNTIME, SUPERVISOR } from '../harness/npm-start.ts';
import type { ProcessFigures } from '../harness/processes.ts';
import { processTree } from '../harness/processes.ts';
import type { Tally } from './chats.ts';
import type { DaySystem } from './system.ts';

export const SECOND_AGENT = 'second agent';
export const PROCESSES = [SUPERVISOR, EDGE, RUNTIME, AGENT, SECOND_AGENT] as const;
export type ProcessName = (typeof PROCESSES)[number];
export const HEAPS = ['supervisor', 'edge', 'agent', 'secondagent'] as const;
export type Heap = (typeof HEAPS)[number];
export const FILES = [
  'database of the edge',
  'objects of the edge',
  'state of an agent',
  'logs',
  'run files',
  'outbox, rows',
] as const;
export type FileKind = (typeof FILES)[number];

export interface Sample {
  /** Hours since the day began; before it below 0. */
  hour: number;
  processes: Record<ProcessName, Pick<ProcessFigures, 'rssMb' | 'pssMb'>>;
  /** Kilobytes, but for the rows of the outbox. */
  files: Record<FileKind, number>;
  /** After a collection, in megabytes; null when none was asked for, as it returns memory. */
  heaps: Record<Heap, number> | null;
}

/** All that a simulated day has shown. */
export interface DayRun {
  samples: Sample[];
  chats: readonly Tally[];
  ticks: number;
  tasks: number;
  /** Rows of D1. */
  rows: { read: number; written: number };
  hours: number;
  loads: number[];
}

const OutboxSchema = z.looseObject({ outbox: z.looseObject({ pending: z.number() }) });

/** Memory first, as looking takes some. `collects`: also what each heap has in use after a collection. */
export async function sampleOf(system: DaySystem, hour: number, { collects }: { collects: boolean }): Promise<Sample> {
  const processes = processesOf(system);
  const files = await filesOf(system);
  return { hour, processes, files, heaps: collects ? await heapsOf(system) : null };
}

function processesOf({ pids }: DaySystem): Sample['processes'] {
  const [first, second] = pids;
  const found = processTree(first, nameOf);
  const all = [...found, ...processTree(second, () => SECOND_AGENT)];
  const absent = { rssMb: Number.NaN, pssMb: Number.NaN };
  const of = (name: ProcessName) => all.find((one) => one.name === name) ?? absent;
  return Object.fromEntries(PROCESSES.map((name) => [name, of(name)])) as Sample['processes'];
}

async function heapsOf(system: DaySystem): Promise<Record<Heap, number>> {
  const found: [Heap, number][] = [];
  for (const heap of HEAPS) found.push([heap, await system.liveHeapMb(heap)]);
  return Object.fromEntries(found) as Record<Heap, number>;
}

async function filesOf(system: DaySystem): Promise<Record<FileKind, number>> {
  const [first, second] = system.nodes;
  const storage = storageOf(edgeStateOf(first.root));
  const both = (folder: string) => [first, second].reduce((sum, { root }) => sum + kilobytes(join(root, folder)), 0);
  const pending = [first, second].map(
    async (node) => OutboxSchema.parse(await system.local(node, 'GET', '/v1/status')).outbox.pending,
  );
  return {
    'database of the edge': kilobytes(join(storage, 'd1')),
    'objects of the edge': kilobytes(join(storage, 'do')),
    'state of an agent': both('state') / 2,
    logs: both('logs') / 2,
    'run files': both('runs') / 2,
    'outbox, rows': (await Promise.all(pending)).reduce((sum, one) => sum + one, 0),
  };
}

/** Of all files below a folder; 0 when it is not there. */
function kilobytes(folder: string): number {
  try {
    const entries = readdirSync(folder, { recursive: true, withFileTypes: true });
    return entries.reduce((sum, { parentPath, name }) => sum + sizeOf(join(parentPath, name)) / 1_000, 0);
  } catch {
    return 0;
  }
}

function sizeOf(path: string): number {
  const found = lstatSync(path, { throwIfNoEntry: false });
  return found?.isFile() ? found.size : 0;
}
