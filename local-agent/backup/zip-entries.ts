/**
 * What a zip file contains, by the directory at its end. A reader that goes from the front must search the compressed bytes
 * for the end of each entry whose size was not known when it was written, and random bytes can look like one.
 */
import { readSync } from 'node:fs';

const END = { signature: 0x06054b50, bytes: 22, directoryBytes: 12, directoryAt: 16 };
const ENTRY = {
  signature: 0x02014b50,
  bytes: 46,
  method: 10,
  packedBytes: 20,
  nameBytes: 28,
  extraBytes: 30,
  commentBytes: 32,
  headerAt: 42,
};
const HEADER = { signature: 0x04034b50, bytes: 30, nameBytes: 26, extraBytes: 28 };
/** The directory is read at once: about a million entries. */
const MAX_DIRECTORY_BYTES = 128 * 1024 * 1024;

export interface ZipEntry {
  name: string;
  /** How it is packed, by its number in the format. */
  method: number;
  /** Of its first packed byte in the file. */
  at: number;
  packedBytes: number;
}

/** The entries in the order in which they were written. @throws Error when the file is no whole zip file */
export function zipEntries(fd: number, fileBytes: number): ZipEntry[] {
  const read = (at: number, bytes: number): Buffer => {
    const part = Buffer.alloc(bytes);
    if (at < 0 || at + bytes > fileBytes || readSync(fd, part, 0, bytes, at) < bytes) throw new Error('it is cut off');
    return part;
  };
  const end = read(fileBytes - END.bytes, END.bytes);
  if (end.readUInt32LE(0) !== END.signature) throw new Error('it has no directory of a zip file at its end');
  const directoryBytes = end.readUInt32LE(END.directoryBytes);
  if (directoryBytes > MAX_DIRECTORY_BYTES) throw new Error('its directory is too large');
  const directory = read(end.readUInt32LE(END.directoryAt), directoryBytes);
  const entries: ZipEntry[] = [];
  for (let at = 0; at < directory.length; ) {
    if (at + ENTRY.bytes > directory.length || directory.readUInt32LE(at) !== ENTRY.signature) {
      throw new Error('its directory is damaged');
    }
    const nameEnd = at + ENTRY.bytes + directory.readUInt16LE(at + ENTRY.nameBytes);
    const headerAt = directory.readUInt32LE(at + ENTRY.headerAt);
    const header = read(headerAt, HEADER.bytes);
    if (header.readUInt32LE(0) !== HEADER.signature) throw new Error('its directory is damaged');
    entries.push({
      name: directory.toString('utf8', at + ENTRY.bytes, nameEnd),
      method: directory.readUInt16LE(at + ENTRY.method),
      at: headerAt + HEADER.bytes + header.readUInt16LE(HEADER.nameBytes) + header.readUInt16LE(HEADER.extraBytes),
      packedBytes: directory.readUInt32LE(at + ENTRY.packedBytes),
    });
    at = nameEnd + directory.readUInt16LE(at + ENTRY.extraBytes) + directory.readUInt16LE(at + ENTRY.commentBytes);
  }
  return entries;
}
