/** The archive of a backup: a zip file, written and read in parts, so that it may be larger than memory. */
import { createHash } from 'node:crypto';
import { closeSync, fsyncSync, mkdirSync, openSync, readSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { Unzip, UnzipInflate, Zip, ZipDeflate } from 'fflate';
import { MANIFEST } from './manifest.ts';

const PART_BYTES = 1024 * 1024;
/** A zip file without its extension for larger ones. */
export const MAX_ARCHIVE_BYTES = 3_500_000_000;
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
  const unzip = new Unzip((entry) => {
    const { name } = entry;
    if (name !== MANIFEST && (!isAllowed(name) || files.has(name))) throw new ArchiveError(`it contains ${name}`);
    const hash = createHash('sha256');
    let bytes = 0;
    const decoder = new TextDecoder();
    const fd = name === MANIFEST ? null : openPart(join(folder, name));
    entry.ondata = (error, part, isLast) => {
      if (error !== null) throw new ArchiveError(`${name}: ${error.message}`);
      hash.update(part);
      bytes += part.length;
      if (fd !== null) writeWhole(fd, part);
      else if (bytes > MAX_MANIFEST_BYTES) throw new ArchiveError(`${MANIFEST} is too large`);
      else manifest += decoder.decode(part, { stream: !isLast });
      if (!isLast || fd === null) return;
      closeSync(fd);
      files.set(name, { bytes, sha256: hash.digest('hex') });
    };
    entry.start();
  });
  unzip.register(UnzipInflate);
  try {
    readParts(archive, (part, isLast) => unzip.push(part, isLast));
  } catch (error) {
    if (error instanceof ArchiveError) throw error;
    throw new ArchiveError(error instanceof Error ? error.message : String(error));
  }
  return { manifest, files };
}

function openPart(path: string): number {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  return openSync(path, 'wx', 0o600);
}
