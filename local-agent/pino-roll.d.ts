/** pino-roll ships no types. */
declare module 'pino-roll' {
  import type { Writable } from 'node:stream';

  interface RollOptions {
    file: string;
    frequency?: string;
    size?: string;
    limit?: { count: number };
    mkdir?: boolean;
  }
  export default function build(options: RollOptions): Promise<Writable>;
}
