/**
 * An open folder inside the roots. Operations in it affect this very folder even when its path is swapped meanwhile. On
 * Linux entries are named through the open descriptor. Other systems compare the path with the descriptor at each step,
 * which narrows the gap but cannot close it.
 */
import { closeSync, constants, fstatSync, openSync, readlinkSync, realpathSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { Roots } from './roots.ts';
import { FileError } from './roots.ts';

const LINUX = process.platform === 'linux';
const DELETED = ' (deleted)';

function sameFile(fd: number, path: string): boolean {
  const opened = fstatSync(fd, { bigint: true });
  const named = statSync(path, { bigint: true });
  return opened.dev === named.dev && opened.ino === named.ino;
}

/** The real path of an open descriptor. @throws FileError when `path` now names something else */
export function realPathOf(fd: number, path: string): string {
  if (LINUX) {
    const real = readlinkSync(`/proc/self/fd/${fd}`);
    if (real.endsWith(DELETED) && fstatSync(fd).nlink === 0) throw new FileError('not_found', `${path}: not found`);
    return real;
  }
  const real = realpathSync.native(path);
  if (!sameFile(fd, real)) throw new FileError('path_outside_roots', `${path} was swapped while it was opened`);
  return real;
}

export class Folder {
  readonly path: string;
  readonly #fd: number;

  private constructor(path: string, fd: number) {
    this.path = path;
    this.#fd = fd;
  }

  /** Opens a folder given by its real path. @throws FileError, or the system's error */
  static open(path: string, roots: Roots): Folder {
    return Folder.#openHandle(path, path, roots);
  }

  static #openHandle(handle: string, path: string, roots: Roots): Folder {
    const fd = openSync(handle, constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW);
    try {
      const real = realPathOf(fd, path);
      roots.admit(real);
      return new Folder(real, fd);
    } catch (error) {
      closeSync(fd);
      throw error;
    }
  }

  /** A path to an entry of this very folder; `''` names the folder itself. */
  at(name: string): string {
    if (LINUX) return name === '' ? `/proc/self/fd/${this.#fd}` : `/proc/self/fd/${this.#fd}/${name}`;
    if (!sameFile(this.#fd, this.path)) throw new FileError('path_outside_roots', `${this.path} was swapped`);
    return join(this.path, name);
  }

  /** Opens the folder `name` in this one. */
  enter(name: string, roots: Roots): Folder {
    return Folder.#openHandle(this.at(name), join(this.path, name), roots);
  }

  get fd(): number {
    return this.#fd;
  }

  close(): void {
    closeSync(this.#fd);
  }
}
