/** Archives that are the same bytes for the same files: sorted entries, one fixed time, fixed compression. */
import { zipSync } from 'fflate';

/** Files by path, with `/` between folders. */
export type Files = ReadonlyMap<string, Uint8Array>;

const LEVEL = 9;

export function archiveOf(files: Files): Uint8Array {
  // An entry holds local time without a zone, so the local start of 1980 is the same bytes in every zone.
  const mtime = new Date(1980, 0, 1);
  const entries = [...files].sort(([a], [b]) => (a < b ? -1 : 1));
  return zipSync(Object.fromEntries(entries), { level: LEVEL, mtime });
}
