/**
 * Claude Code, `claude -p`, as version 2.1 behaves: a failed result says `subtype: success` with `is_error: true`, and it
 * exits 0 when it was interrupted or when every tool was denied. The caller chooses the id of a session, so a run knows it
 * even when it dies at once.
 */
import type { RunUsage } from '../../../schema/contracts/runs.ts';
import { failed } from '../executor.ts';
import { endText } from '../shell.ts';
import type { AgentCall, AgentState, Dialect } from './dialect.ts';
import {
  countOf,
  failureCode,
  recordOf,
  sessionIdOf,
  succeededWith,
  textOf,
  WAITING_FOR_MODEL,
  withoutSession,
  withWarning,
} from './dialect.ts';

/** `--allowedTools` takes any number of words, so its value is joined to it. */
const DEFAULT_ARGS = ['--permission-mode', 'acceptEdits', '--allowedTools=Bash'];
const NO_SESSION = /^No conversation found with session ID/;

function call({ settings, prompt, resumes, newSessionId }: AgentCall) {
  const session = resumes === null ? ['--session-id', newSessionId] : ['--resume', resumes];
  const stream = ['-p', '--output-format', 'stream-json', '--verbose'];
  const argv = [settings.command, ...stream, ...session, ...(settings.args ?? DEFAULT_ARGS)];
  return { argv, stdin: prompt };
}

function usageOf(one: Record<string, unknown>): RunUsage {
  const usage = recordOf(one.usage);
  const cost = one.total_cost_usd;
  return {
    input_tokens: countOf(usage.input_tokens),
    cached_input_tokens: countOf(usage.cache_read_input_tokens),
    output_tokens: countOf(usage.output_tokens),
    cost_usd: typeof cost === 'number' && Number.isFinite(cost) && cost >= 0 ? cost : undefined,
  };
}

function onBlock(state: AgentState, block: Record<string, unknown>): AgentState {
  if (block.type === 'text') return { ...state, lastMessage: textOf(block.text), progress: 'writes' };
  if (block.type !== 'tool_use') return state;
  return { ...state, progress: `uses ${textOf(block.name) ?? 'a tool'}`.slice(0, 200) };
}

function onContent(state: AgentState, message: unknown): AgentState {
  const { content } = recordOf(message);
  let next = state;
  for (const block of Array.isArray(content) ? content : []) next = onBlock(next, recordOf(block));
  return next;
}

function onResult(state: AgentState, one: Record<string, unknown>): AgentState {
  const errors = Array.isArray(one.errors) ? one.errors.map(String).join('\n') : '';
  if (NO_SESSION.test(errors)) return withoutSession(state);
  const text = textOf(one.result) ?? textOf(errors) ?? state.lastMessage ?? '';
  const denials = Array.isArray(one.permission_denials) ? one.permission_denials.length : 0;
  const why = [one.stop_reason, one.terminal_reason, one.api_error_status, text, one.subtype].map(String).join(' ');
  const ok = one.is_error === false;
  const terminal = { ok, error_code: ok ? '' : failureCode(why), text };
  const next = { ...state, usage: usageOf(one), progress: null, terminal };
  return denials === 0 ? next : withWarning(next, `${denials} calls of tools were denied`);
}

function event(state: AgentState, one: Record<string, unknown>): AgentState {
  const sessionId = sessionIdOf(one.session_id) ?? state.sessionId;
  const known = { ...state, sessionId };
  switch (one.type) {
    case 'system':
      return one.subtype === 'api_retry' ? { ...known, progress: WAITING_FOR_MODEL } : known;
    case 'assistant':
      return onContent(known, one.message);
    case 'result':
      return onResult(known, one);
    default:
      return known;
  }
}

export const claude: Dialect = {
  call,
  event,
  cumulative: ['cost_usd'],
  judge: (state, end) => {
    const { terminal } = state;
    if (terminal === null) return failed('agent_ended_early', `claude ended without a result: ${endText(end)}`);
    if (!terminal.ok) return failed(terminal.error_code, terminal.text || 'claude gave no reason');
    if (end.exit.exit_code !== 0) return failed('agent_failed', `claude finished, but with ${endText(end)}`);
    return succeededWith(terminal.text, state);
  },
};
