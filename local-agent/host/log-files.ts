/** The files of the logs below a root, oldest first: a log that rolls has several. */
import { join } from 'node:path';
import { namesIn } from './names-in.ts';

/** The report of a process that hung. */
export const HUNG_LOG = 'hung.log';

/** The files `<name>.<number>.log` of a folder, by their numbers. */
export function rolledFiles(folder: string, name: string): string[] {
  const numbered = namesIn(folder).flatMap((file) => {
    const [, base, number] = /^(.+)\.(\d+)\.log$/.exec(file) ?? [];
    return base === name && number !== undefined ? [{ file, number: Number(number) }] : [];
  });
  return numbered.sort((a, b) => a.number - b.number).map(({ file }) => join(folder, file));
}

/** The files `YYYY-MM-DD.jsonl` of a folder, by their days. */
export function dayFiles(folder: string): string[] {
  const days = namesIn(folder).filter((file) => /^\d{4}-\d{2}-\d{2}\.jsonl$/.test(file));
  return days.sort().map((file) => join(folder, file));
}

/** The reports of processes that hung, in these folders. */
export function hungFiles(folders: readonly string[]): string[] {
  return folders.filter((folder) => namesIn(folder).includes(HUNG_LOG)).map((folder) => join(folder, HUNG_LOG));
}

/** What a service of macOS has printed, the older file first. */
export function serviceFiles(logsDir: string): string[] {
  const names = namesIn(logsDir);
  return ['service.log.1', 'service.log'].filter((name) => names.includes(name)).map((name) => join(logsDir, name));
}

/** The folder of a run, which is in that of its task; null when this host does not have it. */
export function findRunFolder(runsDir: string, runId: string): string | null {
  const task = namesIn(runsDir).find((name) => namesIn(join(runsDir, name)).includes(runId));
  return task === undefined ? null : join(runsDir, task, runId);
}
