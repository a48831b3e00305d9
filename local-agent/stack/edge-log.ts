/**
 * The output of the edge. All lines (one JSON line per request and per tick) go to `logs/edge.*.log` below the runtime
 * root; the terminal shows only warnings, errors and lines that are not JSON.
 */
import { z } from 'zod';
import { openRollingFile } from '../log.ts';

const LineSchema = z.looseObject({ level: z.enum(['info', 'warn', 'error']) });

function levelOf(line: string): 'info' | 'warn' | 'error' {
  if (!line.startsWith('{')) return 'warn';
  try {
    return LineSchema.parse(JSON.parse(line)).level;
  } catch {
    return 'warn';
  }
}

export interface EdgeLog {
  take(line: string): void;
  close(): void;
}

export async function openEdgeLog(dir: string, say: (line: string) => void): Promise<EdgeLog> {
  const file = await openRollingFile(dir, 'edge');
  return {
    take: (line) => {
      file.write(`${line}\n`);
      if (levelOf(line) !== 'info') say(line);
    },
    close: () => file.end(),
  };
}
