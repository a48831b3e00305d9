/** Where a program is that a configuration names. */
import { accessSync, chmodSync, constants, statSync } from 'node:fs';
import { userInfo } from 'node:os';
import { delimiter, isAbsolute, join } from 'node:path';

/** Whether this user may run the file. */
export function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}

/** The folders that PATH names, in its order. */
export function pathFolders(path: string): string[] {
  return path.split(delimiter).filter((folder) => folder !== '');
}

/** The path of the program in one of the folders of PATH, or of the named path itself; null when there is none. */
export function findProgram(name: string, path: string): string | null {
  if (name.includes('/')) return isAbsolute(name) && isProgram(name) ? name : null;
  return (
    pathFolders(path)
      .map((folder) => join(folder, name))
      .find(isProgram) ?? null
  );
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

/** Whether the file or folder belongs to this user. */
export function isOwn(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.uid === userInfo().uid;
}

export function setPermissions(path: string, mode: number): void {
  chmodSync(path, mode);
}
