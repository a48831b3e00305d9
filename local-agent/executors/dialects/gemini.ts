/**
 * Gemini CLI, `gemini -p`, as version 0.61 behaves: it exits 0 on SIGTERM and on a refusal, and prints its answer in pieces.
 * It resumes no session here: a later attempt begins a new one in the folder as it is.
 */
import { failed, succeeded } from '../executor.ts';
import { endText } from '../shell.ts';
import type { AgentState, Dialect } from './dialect.ts';
import { countOf, failureCode, recordOf, sessionIdOf, textOf } from './dialect.ts';

const DEFAULT_ARGS = ['--approval-mode', 'auto_edit'];
const MAX_MESSAGE_CHARS = 64 * 1024;

function onMessage(state: AgentState, one: Record<string, unknown>): AgentState {
  const content = textOf(one.content);
  if (one.role !== 'assistant' || content === null) return state;
  const before = one.delta === true ? (state.lastMessage ?? '') : '';
  return { ...state, lastMessage: (before + content).slice(-MAX_MESSAGE_CHARS), progress: 'writes' };
}

function onResult(state: AgentState, one: Record<string, unknown>): AgentState {
  const stats = recordOf(one.stats);
  const usage = { input_tokens: countOf(stats.input_tokens), output_tokens: countOf(stats.output_tokens) };
  const text = textOf(recordOf(one.error).message) ?? `gemini ended with status ${String(one.status)}`;
  const ok = one.status === 'success';
  return { ...state, usage, progress: null, terminal: { ok, error_code: ok ? '' : failureCode(text), text } };
}

export const gemini: Dialect = {
  call: ({ settings, prompt }) => ({
    // Joined to its option: a prompt that begins with a dash would be an option itself.
    argv: [settings.command, `--prompt=${prompt}`, '-o', 'stream-json', ...(settings.args ?? DEFAULT_ARGS)],
    stdin: null,
  }),
  event: (state, one) => {
    switch (one.type) {
      case 'init':
        return { ...state, sessionId: sessionIdOf(one.session_id) };
      case 'message':
        return onMessage(state, one);
      case 'tool_use':
        return { ...state, progress: `uses ${textOf(one.tool_name) ?? 'a tool'}`.slice(0, 200), lastMessage: null };
      case 'result':
        return onResult(state, one);
      default:
        return state;
    }
  },
  cumulative: [],
  judge: ({ terminal, lastMessage }, end) => {
    if (terminal === null) return failed('agent_ended_early', `gemini ended without a result: ${endText(end)}`);
    if (!terminal.ok) return failed(terminal.error_code, terminal.text);
    if (end.exit.exit_code !== 0) return failed('agent_failed', `gemini finished, but with ${endText(end)}`);
    return succeeded(lastMessage ?? 'done');
  },
};
