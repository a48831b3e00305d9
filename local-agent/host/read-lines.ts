/**
 * The last lines of a log of several files, and the lines that follow, also when the log rolls on into a new file or is emptied
 * in place. It holds one block and one line at a time, however large the files are.
 */
import type { FileHandle } from 'node:fs/promises';
import { open } from 'node:fs/promises';
import { StringDecoder } from 'node:string_decoder';
import { isMissing } from '../lib/errno.ts';

const BLOCK_BYTES = 64 * 1024;
/** Longer lines are cut; the log of a program may have no line break at all. */
const MAX_LINE_CHARS = 1024 * 1024;
const NEWLINE = 0x0a;

export interface LinesOptions {
  /** The files of the log now, oldest first. */
  files: () => readonly string[];
  /** How many of the lines that are there. */
  lines: number;
  /** Waits until something may have been added; ends the reading by `false`. Null reads only what is there. */
  wait: (() => Promise<boolean>) | null;
}

/** The file, or null when it is gone: old ones are removed while they are read. */
async function openOrNull(path: string): Promise<FileHandle | null> {
  try {
    return await open(path, 'r');
  } catch (error) {
    if (isMissing(error)) return null;
    throw error;
  }
}

/** How many line ends a file has at most `wanted`, and where the last `wanted` lines begin. */
async function findStart(file: FileHandle, wanted: number): Promise<{ offset: number; found: number }> {
  const { size } = await file.stat();
  const block = Buffer.alloc(BLOCK_BYTES);
  let found = 0;
  for (let end = size; end > 0; ) {
    const begin = Math.max(0, end - BLOCK_BYTES);
    await file.read(block, 0, end - begin, begin);
    for (let at = end - begin - 1; at >= 0; at -= 1) {
      // The break that ends the file ends its last line.
      if (block[at] !== NEWLINE || begin + at === size - 1) continue;
      found += 1;
      if (found === wanted) return { offset: begin + at + 1, found };
    }
    end = begin;
  }
  return { offset: 0, found: size === 0 ? 0 : found + 1 };
}

/** Where the last `wanted` lines of all files begin. */
async function startOf(files: readonly string[], wanted: number): Promise<{ index: number; offset: number }> {
  let left = wanted;
  let start = { index: files.length, offset: 0 };
  for (let index = files.length - 1; index >= 0 && left > 0; index -= 1) {
    const file = await openOrNull(files[index] ?? '');
    if (file === null) break;
    const { offset, found } = await findStart(file, left).finally(() => file.close());
    start = { index, offset };
    left -= found;
  }
  return start;
}

/** Splits what is read into lines. */
class LineSplitter {
  #decoder = new StringDecoder('utf8');
  #rest = '';

  *take(bytes: Buffer): Generator<string> {
    const parts = (this.#rest + this.#decoder.write(bytes)).split('\n');
    this.#rest = (parts.pop() ?? '').slice(0, MAX_LINE_CHARS);
    yield* parts.map((part) => part.slice(0, MAX_LINE_CHARS));
  }

  *end(): Generator<string> {
    if (this.#rest !== '') yield this.#rest;
    this.#rest = '';
    this.#decoder = new StringDecoder('utf8');
  }
}

interface Reading {
  path: string;
  file: FileHandle;
  offset: number;
  lines: LineSplitter;
}

/** What was added to the file since the last look. */
async function* added(reading: Reading): AsyncGenerator<string> {
  const block = Buffer.alloc(BLOCK_BYTES);
  const { size } = await reading.file.stat();
  // It was emptied in place.
  if (size < reading.offset) reading.offset = 0;
  for (;;) {
    const { bytesRead } = await reading.file.read(block, 0, BLOCK_BYTES, reading.offset);
    if (bytesRead === 0) return;
    reading.offset += bytesRead;
    yield* reading.lines.take(block.subarray(0, bytesRead));
  }
}

/** The file after `path`, or the first; null when there is none yet. */
async function openNext(files: readonly string[], path: string | null, offset: number): Promise<Reading | null> {
  const next = path === null ? files[0] : files[files.indexOf(path) + 1];
  const file = next === undefined ? null : await openOrNull(next);
  return next === undefined || file === null ? null : { path: next, file, offset, lines: new LineSplitter() };
}

export async function* readLines({ files, lines, wait }: LinesOptions): AsyncGenerator<string> {
  const present = files();
  const start = await startOf(present, lines);
  const skipped = start.index === 0 ? null : (present[start.index - 1] ?? null);
  // With no lines wanted, the newest file is read from its end.
  const first = start.index < present.length ? skipped : (present.at(-2) ?? null);
  let reading = await openNext(present, present.length === 0 ? null : first, start.offset);
  if (reading !== null && start.index >= present.length) reading.offset = (await reading.file.stat()).size;
  try {
    for (;;) {
      if (reading !== null) yield* added(reading);
      const next: Reading | null = await openNext(files(), reading?.path ?? null, 0);
      if (next !== null) {
        // What was added between the two looks belongs before the next file.
        if (reading !== null) {
          yield* added(reading);
          yield* reading.lines.end();
          await reading.file.close();
        }
        reading = next;
        continue;
      }
      if (wait === null || !(await wait())) break;
    }
    if (reading !== null) yield* reading.lines.end();
  } finally {
    await reading?.file.close();
  }
}
