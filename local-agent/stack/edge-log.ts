/**
 * The output of the edge. All lines (one JSON line per request and per tick) go to `logs/edge.*.log` below the runtime
 * root; the terminal shows only warnings, errors and lines that are not JSON.
 */
import { z } from 'zod';
import { RollingFile } from '../rolling-file.ts';

const LineSchema = z.looseObject({ level: z.enum(['info', 'warn', 'error']) });

function levelOf(line: string): 'info' | 'warn' | 'error' {
  if (!line.startsWith('{')) return 'warn';
  try {
    return LineSchema.parse(JSON.parse(line)).level;
  } catch {
    return 'warn';
  }
}

/** A Worker's console adds no time to a line, so it is added here. */
function withTime(line: string): string {
  return line.startsWith('{"') ? `{"time":${Date.now()},${line.slice(1)}` : line;
}

export interface EdgeLog {
  take(line: string): void;
  close(): Promise<void>;
}

export async function openEdgeLog(dir: string, say: (line: string) => void): Promise<EdgeLog> {
  const file = await RollingFile.open({
    dir,
    name: 'edge',
    onFault: say,
    onRecovered: (lost) => say(`the log in ${dir} is written again; ${lost} lines are missing`),
  });
  return {
    take: (line) => {
      file.write(`${withTime(line)}\n`);
      if (levelOf(line) !== 'info') say(line);
    },
    close: () => file.close(),
  };
}
