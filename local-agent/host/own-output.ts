/**
 * What a service prints under launchd goes into a file that launchd opens once and never rolls. The service keeps it small: it
 * copies a large file beside it and empties it in place, as launchd writes at its end.
 */
import { copyFileSync, fstatSync, statSync, truncateSync } from 'node:fs';

/** The variable that names the file, where a service has one. */
export const SERVICE_LOG = 'BAA_SERVICE_LOG';

export interface OutputLimits {
  maxBytes: number;
  lookMs: number;
}

const LIMITS: OutputLimits = { maxBytes: 10 * 1024 * 1024, lookMs: 60_000 };
const STDOUT = 1;

/** Whether the standard output of this process is that file. */
function isOwnOutput(path: string): boolean {
  const file = statSync(path, { throwIfNoEntry: false });
  if (file === undefined) return false;
  const output = fstatSync(STDOUT);
  return output.ino === file.ino && output.dev === file.dev;
}

/** Keeps the last `maxBytes` to twice that: the file, and `<path>.1` before it. Does nothing for output to anything else. */
export function keepOutputSmall(path: string | undefined, { maxBytes, lookMs }: OutputLimits = LIMITS): void {
  if (path === undefined) return;
  const look = (): void => {
    try {
      if (!isOwnOutput(path) || fstatSync(STDOUT).size <= maxBytes) return;
      copyFileSync(path, `${path}.1`);
      truncateSync(path);
    } catch {
      // A full disk, for example: the next look tries it again.
    }
  };
  look();
  setInterval(look, lookMs).unref();
}
