import { describe, expect, it } from 'vitest';
import type { AgentSettings, DialectName } from '../../../../local-agent/config/agent-settings.ts';
import { AgentSettingsSchema } from '../../../../local-agent/config/agent-settings.ts';
import { AgentReader, dialectOf } from '../../../../local-agent/executors/agent.ts';
import { RunUsageSchema } from '../../../../schema/contracts/runs.ts';
import { endedStep, runExit } from '../../../support/step-builders.ts';

/** Feeds events to a dialect, and judges the end. */
function judge(dialect: DialectName, events: readonly unknown[], exit_code = 0, settings: Partial<AgentSettings> = {}) {
  const reader = new AgentReader(dialectOf({ dialect, ...settings }));
  for (const event of events) reader.line(typeof event === 'string' ? event : JSON.stringify(event));
  const verdict = reader.dialect.judge(reader.view(), endedStep({ exit: runExit({ exit_code }), reader }));
  return { verdict, view: reader.view() };
}

function call(
  dialect: DialectName,
  overrides: { settings?: Partial<AgentSettings>; resumes?: string; secretNames?: string[] } = {},
) {
  const settings = AgentSettingsSchema.parse({ command: dialect, dialect, ...overrides.settings });
  const { resumes = null, secretNames = [] } = overrides;
  return dialectOf(settings).call({ settings, prompt: '-do it', resumes, newSessionId: 'new-id', secretNames });
}

const item = (of: Record<string, unknown>) => ({ type: 'item.completed', item: of });
const CODEX_DONE = [
  { type: 'thread.started', thread_id: 'thread-1' },
  { type: 'turn.started' },
  item({ type: 'command_execution', command: 'make', exit_code: 3, status: 'failed' }),
  item({ type: 'agent_message', text: 'I have done it.' }),
  { type: 'turn.completed', usage: { input_tokens: 3000, cached_input_tokens: 600, output_tokens: 150 } },
];

describe('codex', () => {
  it('is called with its events on stdout, the prompt on stdin, and a sandbox around the worktree', () => {
    expect(call('codex')).toEqual({
      argv: ['codex', 'exec', '--json', '-s', 'workspace-write', '--skip-git-repo-check', '-'],
      stdin: '-do it',
    });
  });

  it('resumes a session with the sandbox as a setting, because resume has no such option', () => {
    const { argv } = call('codex', { resumes: 'thread-1' });
    expect(argv).toEqual([
      'codex',
      'exec',
      'resume',
      '--json',
      '-c',
      'sandbox_mode="workspace-write"',
      '--skip-git-repo-check',
      'thread-1',
      '-',
    ]);
  });

  it('takes the options of the configuration instead of its own', () => {
    const { argv } = call('codex', { settings: { args: ['--dangerously-bypass-approvals-and-sandbox'] } });
    expect(argv).toEqual([
      'codex',
      'exec',
      '--json',
      '--dangerously-bypass-approvals-and-sandbox',
      '--skip-git-repo-check',
      '-',
    ]);
  });

  it('is asked to hide the key from its tools', () => {
    expect(call('codex', { secretNames: ['OPENAI_API_KEY'] }).argv).toContain(
      'shell_environment_policy.exclude=["OPENAI_API_KEY"]',
    );
  });

  it('succeeds with its last message, although a command of it failed', () => {
    const { verdict, view } = judge('codex', CODEX_DONE);
    expect(verdict).toMatchObject({ status: 'succeeded', summary: 'I have done it.' });
    expect(view).toMatchObject({ sessionId: 'thread-1', usage: { input_tokens: 3000, output_tokens: 150 } });
  });

  it('says what it warned of behind its last message', () => {
    const warning = item({ type: 'error', message: 'Model metadata for `x` not found.' });
    const { summary } = judge('codex', [warning, ...CODEX_DONE]).verdict;
    expect(summary).toBe('I have done it.\n(Model metadata for `x` not found.)');
  });

  it('fails when the model ended its turn without a message, although the exit code is 0', () => {
    const { verdict } = judge(
      'codex',
      CODEX_DONE.filter((event) => !JSON.stringify(event).includes('agent_message')),
    );
    expect(verdict).toMatchObject({ status: 'failed', error_code: 'refused' });
  });

  it('fails without a terminal event, with any exit code', () => {
    expect(judge('codex', CODEX_DONE.slice(0, -1)).verdict).toMatchObject({
      status: 'failed',
      error_code: 'agent_ended_early',
    });
  });

  it('fails when it finished with an exit code', () => {
    expect(judge('codex', CODEX_DONE, 101).verdict).toMatchObject({ status: 'failed', error_code: 'agent_failed' });
  });

  it.each([
    ['exceeded retry limit, last status: 429 Too Many Requests', 'rate_limited'],
    ['Quota exceeded. Check your plan and billing details.', 'quota_exceeded'],
    ["Codex ran out of room in the model's context window", 'context_too_long'],
    ['unexpected status 401 Unauthorized', 'not_authorized'],
    ['stream disconnected before completion', 'agent_failed'],
  ])('names the cause of %s', (message, code) => {
    expect(judge('codex', [{ type: 'turn.failed', error: { message } }], 1).verdict).toMatchObject({
      status: 'failed',
      error_code: code,
      error_text: message,
    });
  });

  it('that cannot reach its model shows that it waits', () => {
    expect(judge('codex', [{ type: 'error', message: 'Reconnecting... waiting for network' }]).view.progress).toBe(
      'waiting for the model',
    );
  });

  it('is not ended by lines that are no events, and by events that are not known', () => {
    const noise = [
      'Reading additional input from stdin...',
      '{"type":',
      '{"type":"todo_list"}',
      '[]',
      item({ type: 'mcp_tool_call' }),
    ];
    expect(judge('codex', [...noise, ...CODEX_DONE]).verdict.status).toBe('succeeded');
  });
});

const CLAUDE_INIT = { type: 'system', subtype: 'init', session_id: 'session-1' };
const claudeResult = (of: Record<string, unknown> = {}) => ({
  subtype: 'success',
  is_error: false,
  result: 'Done.',
  type: 'result',
  session_id: 'session-1',
  total_cost_usd: 0.0166,
  usage: { input_tokens: 10, cache_read_input_tokens: 4, output_tokens: 5 },
  permission_denials: [],
  ...of,
});

describe('claude', () => {
  it('is called with a session of our choice, and may edit and run commands', () => {
    expect(call('claude')).toEqual({
      argv: [
        'claude',
        '-p',
        '--output-format',
        'stream-json',
        '--verbose',
        '--session-id',
        'new-id',
        '--permission-mode',
        'acceptEdits',
        '--allowedTools=Bash',
      ],
      stdin: '-do it',
    });
  });

  it('resumes its session', () => {
    const { argv } = call('claude', { resumes: 'session-1' });
    expect(argv.join(' ')).toContain('--resume session-1');
    expect(argv).not.toContain('--session-id');
  });

  it('succeeds with its result, and reports what it used', () => {
    const { verdict, view } = judge('claude', [CLAUDE_INIT, claudeResult()]);
    expect(verdict).toMatchObject({ status: 'succeeded', summary: 'Done.' });
    expect(view.usage).toEqual({ input_tokens: 10, cached_input_tokens: 4, output_tokens: 5, cost_usd: 0.0166 });
  });

  it.each([
    ['api_error', { terminal_reason: 'api_error', api_error_status: 429 }, 'rate_limited'],
    ['prompt_too_long', { terminal_reason: 'prompt_too_long' }, 'context_too_long'],
    ['refusal', { stop_reason: 'refusal' }, 'refused'],
    ['an interruption', { subtype: 'error_during_execution', terminal_reason: 'aborted_tools' }, 'agent_failed'],
  ])('fails on %s, although the result says success or the exit code is 0', (_cause, fields, code) => {
    const { verdict } = judge('claude', [CLAUDE_INIT, claudeResult({ is_error: true, ...fields })]);
    expect(verdict).toMatchObject({ status: 'failed', error_code: code });
  });

  it('warns when tools were denied', () => {
    const { verdict } = judge('claude', [CLAUDE_INIT, claudeResult({ permission_denials: [{}, {}] })]);
    expect(verdict.summary).toContain('2 calls of tools were denied');
  });

  it('fails without a result', () => {
    expect(judge('claude', [CLAUDE_INIT], 143).verdict).toMatchObject({
      status: 'failed',
      error_code: 'agent_ended_early',
    });
  });

  it('that retries its API shows that it waits', () => {
    expect(judge('claude', [{ type: 'system', subtype: 'api_retry', attempt: 1 }]).view.progress).toBe(
      'waiting for the model',
    );
  });
});

describe('gemini', () => {
  it('gets a prompt that begins with a dash as the value of its option, never as an option', () => {
    expect(call('gemini').argv.slice(0, 2)).toEqual(['gemini', '--prompt=-do it']);
  });

  const message = (content: string) => ({ type: 'message', role: 'assistant', content, delta: true });

  it('joins the pieces of its last message', () => {
    const events = [
      { type: 'init', session_id: 's' },
      message('old'),
      { type: 'tool_use', tool_name: 'write_file' },
      message('Hello '),
      message('there'),
      { type: 'result', status: 'success' },
    ];
    expect(judge('gemini', events).verdict).toMatchObject({ status: 'succeeded', summary: 'Hello there' });
  });

  it('fails on an error that it ends with exit code 0', () => {
    expect(
      judge('gemini', [{ type: 'result', status: 'error', error: { message: 'refused by policy' } }]).verdict,
    ).toMatchObject({ status: 'failed', error_code: 'refused' });
  });

  it('fails on SIGTERM, where it exits 0 without a result', () => {
    expect(judge('gemini', [{ type: 'init', session_id: 's' }]).verdict.status).toBe('failed');
  });
});

describe('a session id in an event', () => {
  it('that could be taken for an option, or that the edge refuses, is none', () => {
    for (const id of ['--dangerously-skip-permissions', 'two words', 'x'.repeat(201), 7]) {
      expect(judge('claude', [{ ...CLAUDE_INIT, session_id: id }]).view.sessionId).toBeNull();
      expect(judge('codex', [{ type: 'thread.started', thread_id: id }]).view.sessionId).toBeNull();
      expect(judge('gemini', [{ type: 'init', session_id: id }]).view.sessionId).toBeNull();
    }
  });
});

describe('usage in an event', () => {
  it('that the edge would refuse is left out, so that the end of the run is taken', () => {
    const usage = { input_tokens: 1e300, output_tokens: 5 };
    const text = JSON.stringify({ type: 'result', is_error: false, result: 'done', session_id: 's', usage });
    const { view } = judge('claude', [text.replace('"type"', '"total_cost_usd":1e999,"type"')]);
    expect(RunUsageSchema.safeParse(view.usage)).toMatchObject({ success: true, data: { output_tokens: 5 } });
  });
});

describe('a command without a dialect', () => {
  it('gets the prompt in the place that its arguments name', () => {
    expect(call('plain', { settings: { args: ['--ask={prompt}'] } })).toEqual({
      argv: ['plain', '--ask=-do it'],
      stdin: null,
    });
  });

  it('gets a prompt that begins with a dash as text, never as an option', () => {
    const { argv } = call('plain', { settings: { args: ['-q', '{prompt}', '--ask={prompt}'] } });
    expect(argv).toEqual(['plain', '-q', '\n-do it', '--ask=-do it']);
  });

  it('gets the prompt on its standard input otherwise', () => {
    expect(call('plain')).toEqual({ argv: ['plain'], stdin: '-do it' });
  });

  it('resumes the session that its events name, where the configuration says how', () => {
    const settings = { args: ['run', '{prompt}'], resume_args: ['run', '--session={session}', '{prompt}'] };
    expect(call('plain', { settings, resumes: 's-1' }).argv).toEqual(['plain', 'run', '--session=s-1', '\n-do it']);
    expect(call('plain', { settings }).argv).toEqual(['plain', 'run', '\n-do it']);
    expect(call('plain', { settings: { args: ['run'] }, resumes: 's-1' }).argv).toEqual(['plain', 'run']);
  });

  it('says the last answer of its events, and names its session, where the configuration says where they are', () => {
    const events = [
      { type: 'step_start', sessionID: 's-1' },
      { type: 'text', part: { text: 'I look.' } },
      { type: 'text', part: { text: 'It is done.' } },
      { type: 'step_finish', part: null },
    ];
    const paths = { session_path: 'sessionID', answer_path: 'part.text' };
    const { verdict, view } = judge('plain', events, 0, paths);
    expect(verdict).toMatchObject({ status: 'succeeded', summary: 'It is done.' });
    expect(view.sessionId).toBe('s-1');
    expect(judge('plain', events, 1, paths).verdict.status).toBe('failed');
    expect(judge('plain', [{ sessionID: '--yes' }], 0, paths).view.sessionId).toBeNull();
  });

  it('alone has these settings: another dialect knows its own', () => {
    const settings = { command: 'codex', dialect: 'codex', resume_args: ['x'] };
    expect(AgentSettingsSchema.safeParse(settings).error?.issues).toMatchObject([{ path: ['resume_args'] }]);
  });

  it('is judged by its exit code', () => {
    expect(judge('plain', []).verdict.status).toBe('succeeded');
    expect(judge('plain', [], 2).verdict).toMatchObject({ status: 'failed', error_code: 'exit_code' });
  });
});
