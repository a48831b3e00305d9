/** A real disk of a few MiB for one program: a tmpfs in a mount namespace of its own, which ends with the program. */
import type { ChildProcess } from 'node:child_process';
import { spawn, spawnSync } from 'node:child_process';
import { join } from 'node:path';

/** With a user namespace it needs no right that a plain user lacks. */
const OWN_MOUNTS = ['--user', '--map-root-user', '--mount'];

/** Why this system gives a program no disk of its own; null when it does. */
export function whyNoSmallDisk(): string | null {
  const mount = ['sh', '-c', 'mount -t tmpfs -o size=64k tmpfs /mnt'];
  const { status, stderr, error } = spawnSync('unshare', [...OWN_MOUNTS, ...mount], { encoding: 'utf8' });
  return status === 0 ? null : (error?.message ?? stderr.trim());
}

export interface OnSmallDisk {
  child: ChildProcess;
  /** The path of the disk, as this process sees it. */
  disk: string;
}

/** Starts a program to which `folder` is a disk of `mib`. */
export function spawnOnSmallDisk(folder: string, mib: number, argv: readonly string[]): OnSmallDisk {
  const mount = 'mount -t tmpfs -o size="$1" tmpfs "$2" && shift 2 && exec "$@"';
  const args = [...OWN_MOUNTS, 'sh', '-c', mount, 'sh', `${mib}m`, folder, ...argv];
  const child = spawn('unshare', args, { stdio: ['ignore', 'pipe', 'inherit'] });
  return { child, disk: join(`/proc/${child.pid}/root`, folder) };
}
