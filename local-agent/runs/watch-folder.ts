/** Notices at once that a run has started or ended, where the system can watch its folder; its user looks as well. */
import { watch } from 'node:fs';

/** Files whose change means that. The logs change all the time, and are looked at in intervals. */
const NAMES: ReadonlySet<string> = new Set(['exit.json', 'runner.json']);

export function watchRunFolder(folder: string, onChange: () => void): () => void {
  try {
    const watcher = watch(folder, { persistent: false }, (_event, name) => {
      if (name !== null && NAMES.has(name)) onChange();
    });
    watcher.on('error', () => watcher.close());
    return () => watcher.close();
  } catch {
    // The system has no watch left, or the folder is gone.
    return () => undefined;
  }
}
