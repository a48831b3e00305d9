/** `shell`: a program by its argv, or a script of the shell. Its exit code decides. */
import type { EndedStep, Executor } from './executor.ts';
import { failed, launches, succeeded } from './executor.ts';

const MAX_SUMMARY_LINES = 5;
const MAX_SUMMARY_CHARS = 500;

/** The last lines that are not blank. */
export function lastLines(text: string): string {
  const lines = text.split('\n').filter((line) => line.trim() !== '');
  return lines.slice(-MAX_SUMMARY_LINES).join('\n').slice(-MAX_SUMMARY_CHARS);
}

export function commandLine({ argv, script }: { argv?: string[] | undefined; script?: string | undefined }): string[] {
  return argv ?? ['/bin/sh', '-c', script ?? ''];
}

/** In words: exit code or signal, and the end of what it said. */
export function endText({ exit, stdoutTail, stderrTail }: EndedStep): string {
  const how = exit.signal === null ? `exit code ${exit.exit_code}` : `ended by ${exit.signal}`;
  const said = lastLines(stderrTail) || lastLines(stdoutTail);
  return said === '' ? how : `${how}: ${said}`;
}

export const shell: Executor<'shell'> = {
  prepare: (input) => launches({ argv: commandLine(input), cwd: input.cwd ?? '' }),
  judge: (end) => {
    if (end.exit.exit_code === 0) return succeeded(lastLines(end.stdoutTail) || 'exit code 0');
    return failed(end.exit.signal === null ? 'exit_code' : 'killed_by_signal', endText(end));
  },
};
