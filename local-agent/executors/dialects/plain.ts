/** Any other command: the prompt in place of `{prompt}` in its arguments, or on its standard input. Its exit code decides. */
import { failed, succeeded } from '../executor.ts';
import { endText, lastLines } from '../shell.ts';
import type { Dialect } from './dialect.ts';

const PLACE = '{prompt}';

/** A prompt that begins with a dash, in an argument of its own, would be an option. Agents pass over a blank line. */
function notAnOption(pattern: string, arg: string): string {
  return pattern.startsWith(PLACE) && arg.startsWith('-') ? `\n${arg}` : arg;
}

export const plain: Dialect = {
  call: ({ settings, prompt }) => {
    const args = settings.args ?? [];
    const takesPrompt = args.some((arg) => arg.includes(PLACE));
    const given = args.map((arg) =>
      notAnOption(
        arg,
        arg.replaceAll(PLACE, () => prompt),
      ),
    );
    return { argv: [settings.command, ...given], stdin: takesPrompt ? null : prompt };
  },
  event: (state) => state,
  cumulative: [],
  judge: (_state, end) => {
    if (end.exit.exit_code === 0) return succeeded(lastLines(end.stdoutTail) || 'exit code 0');
    return failed(end.exit.signal === null ? 'exit_code' : 'killed_by_signal', endText(end));
  },
};
