/**
 * A log file that rolls by day and size. A full disk, or any other fault of the file, ends nothing: the newest lines are
 * kept in memory up to a limit, further ones are counted as lost, and writing is tried again until it succeeds. The start
 * and the end of such a time are reported once each.
 */
import { join } from 'node:path';
import type { RollStream } from 'pino-roll';
import roll from 'pino-roll';

const LIMITS = { frequency: 'daily', size: '10m', limit: { count: 14 } };
/** Kept while the file cannot be written. */
const MAX_KEPT_BYTES = 1024 * 1024;
const RETRY_MS = 5_000;
/** At the end, lines that cannot be written are given up after this time. */
const CLOSE_MS = 1_000;

export interface RollingFileOptions {
  dir: string;
  name: string;
  /** The file cannot be written now. Called once until it can. */
  onFault: (message: string) => void;
  /** The file is written again. `lost` lines are missing in it. */
  onRecovered: (lost: number) => void;
  retryMs?: number;
}

export class RollingFile {
  readonly #options: RollingFileOptions;
  #stream: RollStream | null = null;
  /** Lines that are missing in the file since the fault began. */
  #lost = 0;
  #isFaulty = false;
  #retry: NodeJS.Timeout | null = null;
  #isClosed = false;

  private constructor(options: RollingFileOptions) {
    this.#options = options;
  }

  /** Opens `<dir>/<name>.<n>.log`. A file that cannot be opened is a fault like any other. */
  static async open(options: RollingFileOptions): Promise<RollingFile> {
    const file = new RollingFile(options);
    await file.#open();
    return file;
  }

  /** Never throws. */
  write(line: string): void {
    if (this.#isClosed) return;
    try {
      if (this.#stream === null) this.#lost += 1;
      else this.#stream.write(line);
    } catch (error) {
      this.#lost += 1;
      this.#fault(error);
    }
  }

  /** Writes what is left, and closes the file. */
  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    if (this.#retry) clearTimeout(this.#retry);
    const stream = this.#stream;
    if (stream === null || (this.#isFaulty && stream.fd < 0)) return;
    await new Promise<void>((resolve) => {
      const giveUp = (): void => {
        stream.destroy();
        resolve();
      };
      const timer = setTimeout(giveUp, CLOSE_MS);
      stream.once('error', giveUp);
      stream.once('close', () => {
        clearTimeout(timer);
        resolve();
      });
      stream.end();
    });
  }

  async #open(): Promise<void> {
    const { dir, name } = this.#options;
    try {
      const stream = await roll({ file: join(dir, name), mkdir: true, maxLength: MAX_KEPT_BYTES, ...LIMITS });
      stream.on('error', (error) => this.#fault(error));
      stream.on('drop', () => {
        this.#lost += 1;
      });
      stream.on('write', () => this.#written());
      this.#stream = stream;
    } catch (error) {
      this.#fault(error);
    }
  }

  #fault(error: unknown): void {
    if (this.#isClosed || this.#retry) return;
    const { dir, onFault, retryMs = RETRY_MS } = this.#options;
    if (!this.#isFaulty) {
      const reason = error instanceof Error ? error.message : String(error);
      onFault(
        `the log in ${dir} cannot be written: ${reason}; free space on that disk. Work continues without the log`,
      );
    }
    this.#isFaulty = true;
    this.#retry = setTimeout(() => this.#tryAgain(), retryMs).unref();
  }

  #tryAgain(): void {
    this.#retry = null;
    const stream = this.#stream;
    if (stream !== null && stream.fd >= 0) {
      stream.reopen();
      return;
    }
    this.#stream = null;
    void this.#open();
  }

  #written(): void {
    if (!this.#isFaulty || this.#retry) return;
    const lost = this.#lost;
    this.#isFaulty = false;
    this.#lost = 0;
    this.#options.onRecovered(lost);
  }
}
