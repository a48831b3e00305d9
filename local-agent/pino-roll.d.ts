/** pino-roll ships no types. */
declare module 'pino-roll' {
  import type { EventEmitter } from 'node:events';

  interface RollOptions {
    file: string;
    frequency?: string;
    size?: string;
    limit?: { count: number };
    mkdir?: boolean;
    /** Bytes to keep while they cannot be written; beyond that a line is dropped. */
    maxLength?: number;
  }
  /** A SonicBoom. After an error it keeps what it has and tries again at the next write. */
  export interface RollStream extends EventEmitter<{ error: [Error]; drop: [string]; write: [number]; close: [] }> {
    /** Negative while the file is not open. */
    readonly fd: number;
    /** @throws Error when the stream is destroyed or its file was never open */
    write(line: string): boolean;
    reopen(): void;
    end(): void;
    destroy(): void;
  }
  export default function build(options: RollOptions): Promise<RollStream>;
}
