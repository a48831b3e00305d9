/** Where a program is that a configuration names. */
import { accessSync, chmodSync, constants, statSync } from 'node:fs';
import { delimiter, isAbsolute, join } from 'node:path';

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}

/** The path of the program in one of the folders of PATH, or of the named path itself; null when there is none. */
export function findProgram(name: string, path: string): string | null {
  if (name.includes('/')) return isAbsolute(name) && isProgram(name) ? name : null;
  const folders = path.split(delimiter).filter((folder) => folder !== '');
  return folders.map((folder) => join(folder, name)).find(isProgram) ?? null;
}

export function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
}

/** Whether this user may make files in that folder. */
export function canWriteIn(path: string): boolean {
  try {
    accessSync(path, constants.W_OK | constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

export function setPermissions(path: string, mode: number): void {
  chmodSync(path, mode);
}
