/** The archive of a backup: a zip file, written and read in parts, so that it may be larger than memory. */
import { createHash } from 'node:crypto';
import { closeSync, fstatSync, fsyncSync, mkdirSync, openSync, readSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { Inflate, Zip, ZipDeflate } from 'fflate';
import { MANIFEST } from './manifest.ts';
import type { ZipEntry } from './zip-entries.ts';
import { zipEntries } from './zip-entries.ts';

const PART_BYTES = 1024 * 1024;
/** A zip file without its extension for larger ones. */
export const MAX_ARCHIVE_BYTES = 3_500_000_000;
/** How the entries are packed, by the number that zip files have for it. */
const DEFLATED = 8;
const MAX_MANIFEST_BYTES = 16 * 1024 * 1024;

/** Calls `take` with each part of a file. */
function readParts(path: string, take: (part: Uint8Array, isLast: boolean) => void): void {
  const fd = openSync(path, 'r');
  try {
    for (;;) {
      const part = Buffer.alloc(PART_BYTES);
      const read = readSync(fd, part, 0, part.length, null);
      take(new Uint8Array(part.subarray(0, read)), read === 0);
      if (read === 0) return;
    }
  } finally {
    closeSync(fd);
  }
}

/** Unlike `writeSync`, it continues where a disk that is almost full has taken a part only, and then throws. */
function writeWhole(fd: number, part: Uint8Array): void {
  writeFileSync(fd, part);
}

export function fileDigest(path: string): { bytes: number; sha256: string } {
  const hash = createHash('sha256');
  let bytes = 0;
  readParts(path, (part) => {
    hash.update(part);
    bytes += part.length;
  });
  return { bytes, sha256: hash.digest('hex') };
}

/** Writes a new file with mode 0600: the manifest, then the files of `folder`. @throws when it exists */
export function writeArchive(target: string, folder: string, manifest: string, paths: readonly string[]): void {
  const fd = openSync(target, 'wx', 0o600);
  try {
    const zip = new Zip((error, part) => {
      if (error !== null) throw error;
      writeWhole(fd, part);
    });
    const first = new ZipDeflate(MANIFEST);
    zip.add(first);
    first.push(new TextEncoder().encode(manifest), true);
    for (const path of paths) {
      const entry = new ZipDeflate(path);
      zip.add(entry);
      readParts(join(folder, path), (part, isLast) => entry.push(part, isLast));
    }
    zip.end();
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}

export class ArchiveError extends Error {
  override readonly name = 'ArchiveError';
}

export interface Unpacked {
  manifest: string;
  /** By path. */
  files: Map<string, { bytes: number; sha256: string }>;
}

/**
 * Unpacks the archive below `folder`, which is new. `isAllowed` judges each path before anything is written to it.
 *
 * @throws ArchiveError when it is no such archive
 */
export function unpack(archive: string, folder: string, isAllowed: (path: string) => boolean): Unpacked {
  const files: Unpacked['files'] = new Map();
  let manifest = '';
  const fd = openSync(archive, 'r');
  try {
    for (const entry of zipEntries(fd, fstatSync(fd).size)) {
      const { name } = entry;
      if (name === MANIFEST) {
        manifest = readManifest(fd, entry);
        continue;
      }
      if (!isAllowed(name) || files.has(name)) throw new ArchiveError(`it contains ${name}`);
      files.set(name, writeEntry(fd, entry, join(folder, name)));
    }
  } catch (error) {
    if (error instanceof ArchiveError) throw error;
    throw new ArchiveError(error instanceof Error ? error.message : String(error));
  } finally {
    closeSync(fd);
  }
  return { manifest, files };
}

function readManifest(fd: number, entry: ZipEntry): string {
  const decoder = new TextDecoder();
  let text = '';
  let bytes = 0;
  readEntry(fd, entry, (part) => {
    bytes += part.length;
    if (bytes > MAX_MANIFEST_BYTES) throw new ArchiveError(`${MANIFEST} is too large`);
    text += decoder.decode(part, { stream: true });
  });
  return text + decoder.decode();
}

function writeEntry(fd: number, entry: ZipEntry, path: string): { bytes: number; sha256: string } {
  const hash = createHash('sha256');
  let bytes = 0;
  const target = openPart(path);
  try {
    readEntry(fd, entry, (part) => {
      hash.update(part);
      bytes += part.length;
      writeWhole(target, part);
    });
  } finally {
    closeSync(target);
  }
  return { bytes, sha256: hash.digest('hex') };
}

/** Calls `take` with each unpacked part of an entry. */
function readEntry(fd: number, { name, method, at, packedBytes }: ZipEntry, take: (part: Uint8Array) => void): void {
  if (method !== DEFLATED) throw new ArchiveError(`${name} is packed in an unknown way`);
  const inflate = new Inflate(take);
  let left = packedBytes;
  while (left > 0) {
    const part = Buffer.alloc(Math.min(PART_BYTES, left));
    const read = readSync(fd, part, 0, part.length, at + packedBytes - left);
    if (read === 0) throw new ArchiveError(`${name} is cut off`);
    left -= read;
    inflate.push(new Uint8Array(part.subarray(0, read)), left === 0);
  }
}

function openPart(path: string): number {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  return openSync(path, 'wx', 0o600);
}
