/** The Git directories of submodules. Git enters them from the repository that holds them, for example in `git status`. */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';

/** Of a repository with more, no configuration is known to be safe. */
const MAX_FOLDERS = 2_000;

function entriesOf(folder: string) {
  try {
    return readdirSync(folder, { withFileTypes: true });
  } catch {
    return [];
  }
}

/**
 * The Git directories below `modules` of a Git directory, with those of submodules in submodules. A submodule's name may
 * hold slashes. Null when there are too many folders.
 */
export function submoduleGitDirectories(gitDirectory: string): string[] | null {
  const found: string[] = [];
  const folders = [join(gitDirectory, 'modules')];
  // The loop reaches what it adds.
  for (const folder of folders) {
    if (folders.length > MAX_FOLDERS) return null;
    const entries = entriesOf(folder);
    if (entries.some(({ name }) => name === 'HEAD')) {
      found.push(folder);
      folders.push(join(folder, 'modules'));
      continue;
    }
    const below = entries.filter((entry) => entry.isDirectory() || entry.isSymbolicLink());
    folders.push(...below.map(({ name }) => join(folder, name)));
  }
  return found;
}
