/**
 * The standard streams of a program. Node connects children by sockets, which a program cannot open by name:
 * `> /dev/stderr` and `cat /dev/stdin` fail. So outputs are named pipes whose names are removed once they are open, and
 * the input is a file without a name.
 */
import { execFile } from 'node:child_process';
import { closeSync, constants, mkdtempSync, openSync, rmSync, writeFileSync } from 'node:fs';
import { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

export interface Streams {
  /** Descriptors for stdin, stdout and stderr of the child. The caller closes them when the child has been started. */
  childFds: readonly [number, number, number];
  stdout: Socket;
  stderr: Socket;
}

function openPipe(path: string): { readEnd: number; writeEnd: number } {
  // A reader that does not block opens at once; then a writer opens at once too.
  const readEnd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    return { readEnd, writeEnd: openSync(path, constants.O_WRONLY) };
  } catch (error) {
    closeSync(readEnd);
    throw error;
  }
}

function openInput(folder: string, stdin: string | null): number {
  if (stdin === null) return openSync('/dev/null', constants.O_RDONLY);
  const path = join(folder, 'in');
  writeFileSync(path, stdin, { mode: 0o600 });
  return openSync(path, constants.O_RDONLY);
}

function reader(fd: number): Socket {
  return new Socket({ fd, readable: true, writable: false });
}

/** @throws when the system cannot make a named pipe */
export async function openStreams(stdin: string | null): Promise<Streams> {
  const folder = mkdtempSync(join(tmpdir(), 'conductor-'));
  const opened: number[] = [];
  try {
    const names = ['out', 'err'].map((name) => join(folder, name));
    await run('mkfifo', ['-m', '600', ...names]);
    const input = openInput(folder, stdin);
    opened.push(input);
    const [out, err] = names.map((name) => {
      const pipe = openPipe(name);
      opened.push(pipe.readEnd, pipe.writeEnd);
      return pipe;
    });
    if (!out || !err) throw new Error('a pipe is missing');
    const childFds = [input, out.writeEnd, err.writeEnd] as const;
    return { childFds, stdout: reader(out.readEnd), stderr: reader(err.readEnd) };
  } catch (error) {
    for (const fd of opened) closeSync(fd);
    throw error;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Closes the child's ends in this process, so that the pipes end with the child. */
export function closeChildEnds({ childFds }: Streams): void {
  for (const fd of childFds) closeSync(fd);
}
