/** Asks a program one short question, such as its version. */
import { execFile } from 'node:child_process';

const MAX_BYTES = 64 * 1024;

export interface ProgramSaid {
  /** Null when it was ended, or could not start. */
  code: number | null;
  /** Standard output and standard error. */
  text: string;
}

/** Never rejects: a program that cannot start has the reason as its text. */
export function askProgram(
  [program = '', ...args]: readonly string[],
  { timeoutMs, env }: { timeoutMs: number; env: Readonly<Record<string, string | undefined>> },
): Promise<ProgramSaid> {
  const options = { timeout: timeoutMs, killSignal: 'SIGKILL', maxBuffer: MAX_BYTES, env: { ...env } } as const;
  return new Promise((resolve) => {
    const child = execFile(program, args, options, (error, stdout, stderr) => {
      const text = `${stdout}${stderr}`.trim();
      if (error === null) resolve({ code: 0, text });
      else resolve({ code: typeof error.code === 'number' ? error.code : null, text: text || error.message });
    });
    child.stdin?.end();
  });
}
