/**
 * Any other command: the prompt in place of `{prompt}` in its arguments, or on its standard input. Its exit code decides. Where
 * the configuration names fields of its events, JSON objects one a line, its session and its answer are read from them.
 */
import type { AgentSettings } from '../../config/agent-settings.ts';
import { failed, succeeded } from '../executor.ts';
import { endText, lastLines } from '../shell.ts';
import type { AgentCall, Dialect } from './dialect.ts';
import { recordOf, sessionIdOf, textOf } from './dialect.ts';

const PROMPT = '{prompt}';
const SESSION = '{session}';

/** A prompt that begins with a dash, in an argument of its own, would be an option. Agents pass over a blank line. */
function notAnOption(pattern: string, arg: string): string {
  return pattern.startsWith(PROMPT) && arg.startsWith('-') ? `\n${arg}` : arg;
}

function call({ settings, prompt, resumes }: AgentCall) {
  const { command, args = [], resume_args } = settings;
  const patterns = resumes !== null && resume_args !== undefined ? resume_args : args;
  const takesPrompt = patterns.some((arg) => arg.includes(PROMPT));
  const given = patterns.map((pattern) => {
    const named = pattern.replaceAll(SESSION, () => resumes ?? '');
    return notAnOption(
      pattern,
      named.replaceAll(PROMPT, () => prompt),
    );
  });
  return { argv: [command, ...given], stdin: takesPrompt ? null : prompt };
}

/** The value at a path such as `result.text`; undefined where an event has none. */
function valueAt(event: Record<string, unknown>, path: string | undefined): unknown {
  if (path === undefined) return undefined;
  return path.split('.').reduce<unknown>((value, key) => recordOf(value)[key], event);
}

export function plain({ session_path, answer_path }: Pick<AgentSettings, 'session_path' | 'answer_path'>): Dialect {
  return {
    call,
    event: (state, one) => ({
      ...state,
      sessionId: sessionIdOf(valueAt(one, session_path)) ?? state.sessionId,
      lastMessage: textOf(valueAt(one, answer_path)) ?? state.lastMessage,
    }),
    cumulative: [],
    judge: ({ lastMessage }, end) => {
      if (end.exit.exit_code === 0) return succeeded(lastMessage ?? (lastLines(end.stdoutTail) || 'exit code 0'));
      return failed(end.exit.signal === null ? 'exit_code' : 'killed_by_signal', endText(end));
    },
  };
}
