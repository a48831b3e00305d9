/** Text files in one folder, one per day: `<folder>/YYYY-MM-DD.jsonl`, accessible to this user only. */
import { appendFile, mkdir, readdir, rm, stat, truncate } from 'node:fs/promises';
import { join } from 'node:path';
import { isMissing } from '../lib/errno.ts';

const EXTENSION = '.jsonl';
const DAY = /^\d{4}-\d{2}-\d{2}$/;

export interface DayFiles {
  /** Size in bytes; 0 when the file does not exist. */
  size(day: string): Promise<number>;
  /** Appends text; returns the new size in bytes. */
  append(day: string, text: string): Promise<number>;
  /** Cuts the file to `size` bytes. */
  truncate(day: string, size: number): Promise<void>;
  /** The days that have a file, oldest first. */
  days(): Promise<string[]>;
  remove(day: string): Promise<void>;
}

export function openDayFiles(folder: string): DayFiles {
  const pathOf = (day: string): string => join(folder, day + EXTENSION);
  const size = async (day: string): Promise<number> => {
    try {
      return (await stat(pathOf(day))).size;
    } catch (error) {
      if (isMissing(error)) return 0;
      throw error;
    }
  };
  return {
    size,
    async append(day, text) {
      await mkdir(folder, { recursive: true, mode: 0o700 });
      await appendFile(pathOf(day), text, { mode: 0o600 });
      return size(day);
    },
    truncate: (day, bytes) => truncate(pathOf(day), bytes),
    async days() {
      try {
        const names = await readdir(folder);
        const days = names.filter((name) => name.endsWith(EXTENSION)).map((name) => name.slice(0, -EXTENSION.length));
        return days.filter((day) => DAY.test(day)).sort();
      } catch (error) {
        if (isMissing(error)) return [];
        throw error;
      }
    },
    remove: (day) => rm(pathOf(day), { force: true }),
  };
}
