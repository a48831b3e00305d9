/**
 * Files that are whole whenever they can be seen, also after a power cut: the content is synced before it takes the name,
 * and the folder after that. A file that must be written on a full disk gets its room beforehand.
 */
import { closeSync, fsyncSync, ftruncateSync, openSync, renameSync, writeSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';

const PRIVATE_FILE = 0o600;
const BLANK = ' ';

/** Writes all of the bytes at the place where the descriptor is, which one `writeSync` need not do. */
export function writeFully(fd: number, bytes: Uint8Array): void {
  for (let at = 0; at < bytes.length; ) at += writeSync(fd, bytes, at);
}

/** Makes the names in a folder durable. */
export function syncFolder(path: string): void {
  const fd = openSync(path, 'r');
  try {
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}

/** Makes the content of a file durable. */
export function syncFile(path: string): void {
  const fd = openSync(path, 'r+');
  try {
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}

function writeSynced(path: string, flags: 'w' | 'r+', text: string): void {
  const fd = openSync(path, flags, PRIVATE_FILE);
  try {
    writeFully(fd, Buffer.from(text));
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}

/** Replaces a file by another: a reader sees the one or the other, whole. */
export function replaceSynced(path: string, text: string): void {
  const written = `${path}.new`;
  writeSynced(written, 'w', text);
  renameSync(written, path);
  syncFolder(dirname(path));
}

/** Where the room for a file is, until it is filled. */
export function roomOf(path: string): string {
  return join(dirname(path), `.${basename(path)}.room`);
}

/** Takes room on the disk for a text of at most `bytes` bytes. `fillReserved` writes it, even on a full disk. */
export function reserve(path: string, bytes: number): void {
  writeSynced(roomOf(path), 'w', BLANK.repeat(bytes));
}

/** Gives the file that has room its content and its name. JSON may end in blanks, so what is left of the room stays. */
export function fillReserved(path: string, text: string, bytes: number): void {
  const written = roomOf(path);
  const content = Buffer.from(text);
  const fd = openSync(written, 'r+');
  try {
    writeFully(fd, content);
    writeFully(fd, Buffer.alloc(Math.max(0, bytes - content.length), BLANK));
    fsyncSync(fd);
    ftruncateSync(fd, content.length);
  } finally {
    closeSync(fd);
  }
  renameSync(written, path);
  syncFolder(dirname(path));
}
