/** What `files/list` and `files/search` share: the files below a folder that fit a glob, and what they say at the end. */
import { INSTRUCTION } from '../../schema/defaults.ts';
import { Skips } from '../host/skips.ts';
import type { WalkedFile } from '../host/walk.ts';
import { walkFiles } from '../host/walk.ts';
import { Turns } from '../lib/turns.ts';
import { pathGlob } from './glob.ts';
import type { ToolContext, ToolOutcome } from './tool.ts';
import { clipBytes, stoppedOutcome, success } from './tool.ts';

export interface FileQuery {
  /** All files without it. */
  pattern?: string | undefined;
  cwd?: string | undefined;
  include_ignored?: boolean | undefined;
}

export class FileWalk {
  readonly turns = new Turns();
  readonly skips = new Skips();
  readonly #query: FileQuery;
  readonly #context: ToolContext;
  readonly #signal: AbortSignal;
  #notEntered = 0;
  #deeper: string | null = null;

  constructor(query: FileQuery, context: ToolContext, signal: AbortSignal) {
    this.#query = query;
    this.#context = context;
    this.#signal = signal;
  }

  /** The files. @throws FileError for a glob or a folder that is not allowed */
  async *files(): AsyncGenerator<WalkedFile> {
    const { pattern = '**', cwd = '.', include_ignored = false } = this.#query;
    const glob = pathGlob(pattern);
    this.#deeper = glob.deeper;
    const { roots } = this.#context;
    const enters = (folder: string) => {
      const reached = glob.enters(folder);
      if (!reached) this.#notEntered += 1;
      return reached;
    };
    const options = {
      includeIgnored: include_ignored,
      signal: this.#signal,
      turns: this.turns,
      skips: this.skips,
      enters,
    };
    for await (const file of walkFiles(roots, roots.resolve(cwd), options)) {
      if (glob.matches(file.path)) yield file;
    }
  }

  /**
   * The outcome with these lines, then the notes, in brackets: what was not looked at, and other things to know. A walk that
   * reached its time limit failed, with what it had found; one that was stopped shows nothing.
   */
  outcome(lines: readonly string[], notes: readonly string[], more: boolean): ToolOutcome {
    const stopped = this.#signal.aborted ? stoppedOutcome(this.#signal) : null;
    if (stopped !== null && stopped.error_code !== 'timeout') return stopped;
    const ended =
      stopped === null ? notes : [`[${stopped.output}; a folder below as cwd, or a narrower glob, takes less]`];
    const below = this.#deeper !== null && this.#notEntered > 0;
    const all = [...ended, ...(below ? [`[folders below were not looked into; ${this.#deeper} does that]`] : [])];
    const tail = this.#context.redact([...all, ...this.skips.lines()].map((note) => `${note}\n`).join(''));
    const room = INSTRUCTION.max_output_bytes - Buffer.byteLength(tail);
    const { text, clipped } = clipBytes(lines.join(''), room);
    const cut = clipped && !text.endsWith('\n') ? '…\n' : '';
    const found = success(`${text}${cut}${tail}`, more || clipped || this.skips.endedEarly);
    return stopped === null ? found : { ...stopped, output: found.output, truncated: true };
  }
}
