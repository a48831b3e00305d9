/**
 * OpenAI Codex, `codex exec --json`, as version 0.169 behaves: it exits 0 when its patch failed and when the model refused,
 * and waits for ever on a network that is away, so the events decide together with the exit code.
 */
import type { RunUsage } from '../../../schema/contracts/runs.ts';
import { failed } from '../executor.ts';
import { endText } from '../shell.ts';
import type { AgentCall, AgentState, Dialect } from './dialect.ts';
import {
  countOf,
  failureCode,
  recordOf,
  sessionGone,
  sessionIdOf,
  succeededWith,
  textOf,
  WAITING_FOR_MODEL,
  withWarning,
} from './dialect.ts';

const DEFAULT_ARGS = ['-s', 'workspace-write'];
const NO_SESSION = /\bno rollout found for thread id\b/;

/** `resume` takes no `-s`, so the sandbox is named as a setting there. */
function resumeArgs(args: readonly string[]): string[] {
  return args.flatMap((arg, n) => {
    if (arg === '-s' || arg === '--sandbox') return ['-c'];
    const isSandbox = args[n - 1] === '-s' || args[n - 1] === '--sandbox';
    return [isSandbox ? `sandbox_mode=${JSON.stringify(arg)}` : arg];
  });
}

/** Codex passes its whole environment to its tools, unless it is asked not to. */
function hidden(names: readonly string[]): string[] {
  return names.length === 0 ? [] : ['-c', `shell_environment_policy.exclude=${JSON.stringify(names)}`];
}

function call({ settings, prompt, resumes, secretNames }: AgentCall) {
  const args = settings.args ?? DEFAULT_ARGS;
  const flags = [...(resumes === null ? args : resumeArgs(args)), ...hidden(secretNames), '--skip-git-repo-check'];
  const session = resumes === null ? [] : [resumes];
  const verb = resumes === null ? ['exec'] : ['exec', 'resume'];
  return { argv: [settings.command, ...verb, '--json', ...flags, ...session, '-'], stdin: prompt };
}

function usageOf(value: unknown): RunUsage {
  const { input_tokens, cached_input_tokens, output_tokens } = recordOf(value);
  return {
    input_tokens: countOf(input_tokens),
    cached_input_tokens: countOf(cached_input_tokens),
    output_tokens: countOf(output_tokens),
  };
}

function onItem(state: AgentState, value: unknown): AgentState {
  const item = recordOf(value);
  switch (item.type) {
    case 'agent_message':
      return { ...state, lastMessage: textOf(item.text), progress: 'writes' };
    case 'command_execution':
      return { ...state, progress: `runs ${textOf(item.command) ?? 'a command'}`.slice(0, 200) };
    case 'file_change':
      return { ...state, progress: 'changes files' };
    case 'error':
      return withWarning(state, textOf(item.message) ?? 'an error without a message');
    default:
      return state;
  }
}

function event(state: AgentState, one: Record<string, unknown>): AgentState {
  switch (one.type) {
    case 'thread.started':
      return { ...state, sessionId: sessionIdOf(one.thread_id) };
    case 'item.started':
    case 'item.completed':
      return onItem(state, one.item);
    case 'error':
      return { ...state, progress: WAITING_FOR_MODEL };
    case 'turn.completed':
      return { ...state, usage: usageOf(one.usage), progress: null, terminal: { ok: true, error_code: '', text: '' } };
    case 'turn.failed': {
      const text = textOf(recordOf(one.error).message) ?? 'codex gave no reason';
      return { ...state, progress: null, terminal: { ok: false, error_code: failureCode(text), text } };
    }
    default:
      return state;
  }
}

export const codex: Dialect = {
  call,
  event,
  cumulative: ['input_tokens', 'cached_input_tokens', 'output_tokens'],
  judge: (state, end) => {
    const { terminal, lastMessage, sessionId } = state;
    if (sessionId === null && NO_SESSION.test(end.stderrTail)) return sessionGone();
    if (terminal === null) return failed('agent_ended_early', `codex ended without a result: ${endText(end)}`);
    if (!terminal.ok) return failed(terminal.error_code, terminal.text);
    if (end.exit.exit_code !== 0) return failed('agent_failed', `codex finished, but with ${endText(end)}`);
    if (lastMessage === null)
      return failed('refused', 'the model ended its turn without a message, as it does to refuse');
    return succeededWith(lastMessage, state);
  },
};
