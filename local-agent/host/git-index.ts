/**
 * The submodules that an index of Git lists. Git enters each of them, also one that `.gitmodules` does not name. The
 * format is that of gitformat-index(5), versions 2 to 4.
 */
import { isUtf8 } from 'node:buffer';
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { readRegularFile } from './regular-file.ts';

const MAX_NAME_BYTES = 64 * 1024;
const HEADER_BYTES = 12;
/** Times, device, mode, owner and size of an entry. */
const STAT_BYTES = 40;
/** The byte of the mode that has the type of an entry. */
const TYPE_AT = 26;
const TYPE_BITS = 0xf0;
const GITLINK = 0xe0;
const HAS_MORE_FLAGS = 0x4000;
/** All of them set: the name is at least that long, and ends with a zero. */
const NAME_LENGTH_BITS = 0xfff;
const ALIGNMENT = 8;
/** Of a repository with more of them, no configuration is known to be safe: the agent waits while they are read. */
export const MAX_SUBMODULES = 500;
/** Git itself writes about ten. */
const MAX_EXTENSIONS = 1_000;

/** How many bytes of indexes may still be read. */
export interface IndexBudget {
  bytes: number;
}

/** Reads the entries one after the other, byte by byte: there may be hundreds of thousands of them. */
class EntryReader {
  readonly #bytes: Buffer;
  readonly #version: number;
  readonly #hashBytes: number;
  /** The name before. In version 4 an entry has only what differs from its end. */
  readonly #name = Buffer.alloc(MAX_NAME_BYTES);
  #nameLength = 0;
  at = HEADER_BYTES;

  constructor(bytes: Buffer, version: number, hashBytes: number) {
    this.#bytes = bytes;
    this.#version = version;
    this.#hashBytes = hashBytes;
  }

  /** Reads an entry; its name when it is a submodule, else null. @throws RangeError when it is damaged */
  next(): string | null {
    const isGitlink = (this.#byte(this.at + TYPE_AT) & TYPE_BITS) === GITLINK;
    const name = this.#version === 4 ? this.#nextShortened() : this.#nextWhole();
    if (!isGitlink) return null;
    if (name.length === 0) throw new RangeError('it is split (run git update-index --no-split-index)');
    if (!isUtf8(name)) throw new RangeError('the name of a submodule is not UTF-8');
    return name.toString('utf8');
  }

  /** Skips to the name of an entry; its length as the flags have it. */
  #enter(): number {
    const flagsAt = this.at + STAT_BYTES + this.#hashBytes;
    const flags = (this.#byte(flagsAt) << 8) | this.#byte(flagsAt + 1);
    this.at = flagsAt + (this.#version > 2 && (flags & HAS_MORE_FLAGS) !== 0 ? 4 : 2);
    return flags & NAME_LENGTH_BITS;
  }

  #nextWhole(): Buffer {
    const start = this.at;
    const length = this.#enter();
    const nameAt = this.at;
    const end = length < NAME_LENGTH_BITS ? nameAt + length : this.#bytes.indexOf(0, nameAt + length);
    if (this.#byte(end) !== 0) throw new RangeError('a name in it is damaged');
    this.at = end + ALIGNMENT - ((end - start) % ALIGNMENT);
    return this.#bytes.subarray(nameAt, end);
  }

  #nextShortened(): Buffer {
    this.#enter();
    let length = this.#nameLength - this.#readNumber();
    if (length < 0) throw new RangeError('a name in it is damaged');
    for (let byte = this.#byte(this.at++); byte !== 0; byte = this.#byte(this.at++)) {
      if (length === MAX_NAME_BYTES) throw new RangeError('a name in it is too long');
      this.#name[length++] = byte;
    }
    this.#nameLength = length;
    return this.#name.subarray(0, length);
  }

  /** A number of variable length. */
  #readNumber(): number {
    let byte = this.#byte(this.at++);
    let value = byte & 0x7f;
    while (byte & 0x80) {
      byte = this.#byte(this.at++);
      value = (value + 1) * 0x80 + (byte & 0x7f);
    }
    return value;
  }

  #byte(at: number): number {
    const byte = this.#bytes[at];
    if (byte === undefined) throw new RangeError('it is cut');
    return byte;
  }
}

/** The submodules among the entries, and where the entries end. @throws RangeError when the index is damaged */
function readEntries(bytes: Buffer, hashBytes: number): { names: string[]; end: number } {
  const version = bytes.readUInt32BE(4);
  if (bytes.toString('latin1', 0, 4) !== 'DIRC' || version < 2 || version > 4)
    throw new RangeError('its version is unknown');
  const reader = new EntryReader(bytes, version, hashBytes);
  const names: string[] = [];
  for (let left = bytes.readUInt32BE(8); left > 0; left--) {
    const name = reader.next();
    if (name !== null) names.push(name);
    if (names.length > MAX_SUBMODULES) throw new RangeError(`it lists more than ${MAX_SUBMODULES} submodules`);
  }
  return { names, end: reader.at };
}

/** The hash of the index that a split one adds to; null when it is whole. @throws RangeError when the index is damaged */
function sharedIndex(bytes: Buffer, from: number, hashBytes: number): string | null {
  const end = bytes.length - hashBytes;
  let shared: string | null = null;
  let at = from;
  for (let n = 0; at < end; n++) {
    if (n === MAX_EXTENSIONS) throw new RangeError('it has too many extensions');
    if (bytes.toString('latin1', at, at + 4) === 'link') shared = bytes.toString('hex', at + 8, at + 8 + hashBytes);
    at += 8 + bytes.readUInt32BE(at + 4);
  }
  // With another size of hashes than the right one, nothing ends here.
  if (at !== end) throw new RangeError('it does not end where it says');
  return shared;
}

function bytesOf(path: string, budget: IndexBudget): Buffer | null {
  const size = statSync(path, { throwIfNoEntry: false })?.size;
  if (size === undefined) return null;
  if (size > budget.bytes) throw new RangeError('it is too large to be read before each program');
  budget.bytes -= size;
  const bytes = readRegularFile(path, size);
  if (bytes === null) throw new RangeError('it cannot be read, or is no regular file');
  return bytes;
}

/**
 * The paths of all submodules in the index of a Git directory, relative to the working tree. Hashes have 20 bytes, or 32
 * with SHA-256.
 *
 * @throws an Error that says why they are not known
 */
export function indexedSubmodules(gitDirectory: string, hashBytes: number, budget: IndexBudget): string[] {
  const bytes = bytesOf(join(gitDirectory, 'index'), budget);
  if (bytes === null) return [];
  const { names, end } = readEntries(bytes, hashBytes);
  const shared = sharedIndex(bytes, end, hashBytes);
  const base = shared === null ? null : bytesOf(join(gitDirectory, `sharedindex.${shared}`), budget);
  return base === null ? names : [...new Set([...names, ...readEntries(base, hashBytes).names])];
}
