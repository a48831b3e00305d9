import { describe, expect, it } from 'vitest';
import { AgentSettingsSchema } from '../../../../local-agent/config/agent-settings.ts';
import type { StepView } from '../../../../local-agent/executors/executor.ts';
import { exitVerdict } from '../../../../local-agent/executors/exit-verdict.ts';
import { LineSplitter } from '../../../../local-agent/executors/lines.ts';
import { executorFor, executorNames } from '../../../../local-agent/executors/registry.ts';
import { BASE_SHA, claimedRun, endedStep, runExit, stepView } from '../../../support/step-builders.ts';

const AGENTS = { codex: AgentSettingsSchema.parse({ command: '/opt/codex', dialect: 'codex' }) };

function bound(kind: string, input: Record<string, unknown>) {
  const found = executorFor({ kind, input }, AGENTS);
  if ('problem' in found) throw new Error(found.problem.text);
  return found;
}

function launchOf(kind: string, input: Record<string, unknown>, overrides: Partial<StepView> = {}) {
  const prepared = bound(kind, input).prepare(stepView({ agents: AGENTS, ...overrides }));
  if (prepared.type !== 'launch') throw new Error(`nothing to launch: ${prepared.verdict.summary}`);
  return prepared.launch;
}

describe('the executors of a host', () => {
  it('are named in a claim, with each coding agent that it has', () => {
    expect(executorNames(AGENTS)).toEqual(['shell', 'test', 'git', 'review', 'agent:codex']);
  });

  it('do not include one for an unknown kind', () => {
    expect(executorFor({ kind: 'deploy', input: {} }, {})).toMatchObject({
      problem: { code: 'unsupported_step_kind' },
    });
  });

  it('take no input that does not fit the kind, and name the field', () => {
    const found = executorFor({ kind: 'git', input: { action: 'rebase' } }, {});
    expect(found).toMatchObject({ problem: { code: 'invalid_step_input', text: expect.stringContaining('action') } });
  });
});

describe('a shell step', () => {
  it('runs its argv as it is, and a script by the shell', () => {
    expect(launchOf('shell', { argv: ['make', 'all'], cwd: 'src' })).toMatchObject({
      argv: ['make', 'all'],
      cwd: 'src',
    });
    expect(launchOf('shell', { script: 'a | b' }).argv).toEqual(['/bin/sh', '-c', 'a | b']);
  });

  it('is judged by its exit code, and says what it printed last', () => {
    const shell = bound('shell', { script: 'true' });
    expect(shell.judge(endedStep({ stdoutTail: 'one\ntwo\n' }))).toMatchObject({
      status: 'succeeded',
      summary: 'one\ntwo',
    });
    const failing = endedStep({ exit: runExit({ exit_code: 3 }), stderrTail: 'no such file\n' });
    expect(shell.judge(failing)).toMatchObject({
      status: 'failed',
      error_code: 'exit_code',
      error_text: 'exit code 3: no such file',
    });
  });
});

const TASK = {
  ...{ title: 'Greet', goal: 'Say hello.', acceptance: ['it greets'], task_type: 'codex', is_persons: true },
  constraints: {},
};

describe('an agent step', () => {
  it('whose agent this host does not have says how to configure it, and is not tried again', () => {
    const prepared = bound('agent', { agent: 'claude' }).prepare(stepView());
    expect(prepared).toMatchObject({
      verdict: {
        error_code: 'agent_not_configured',
        final: true,
        error_text: expect.stringContaining('[agents.claude]'),
      },
    });
  });

  it('without a prompt gets the goal, what it is accepted by, and what the steps before it left', () => {
    const claim = claimedRun({
      task: { ...TASK, constraints: { target_host: 'mini' } },
      outputs: [{ step_id: 's', run_id: null, kind: 'shell', name: 'look', status: 'done', summary: 'two files' }],
    });
    const { stdin } = launchOf('agent', { agent: 'codex' }, { claim });
    expect(stdin).toMatch(
      /^Task: Greet\n\nSay hello\.\n\nThe task is done when:\n- it greets\n\nConstraints:\n- This step may take at most 1 min\.\n- The task runs on the host mini\.\n\nSteps before this one:\n- look: two files\n/,
    );
  });

  it('with a prompt of its own gets what it is accepted by, and the note of a reviewer, behind the prompt', () => {
    const review = { step_id: 's', run_id: null, kind: 'review', name: 'review', status: 'done' };
    const claim = claimedRun({ task: TASK, outputs: [{ ...review, summary: 'Use tabs.' }] });
    const { stdin } = launchOf('agent', { agent: 'codex', prompt: 'Polish it.' }, { claim });
    expect(stdin).toMatch(/^Polish it\.\n\nThe task is done when:\n- it greets\n/);
    expect(stdin).toContain('Steps before this one:\n- review: Use tabs.');
    expect(stdin).not.toContain('Say hello.');
  });

  it('gets a bounded part of what many earlier steps said', () => {
    const outputs = Array.from({ length: 64 }, (_, n) => ({
      ...{ step_id: 's', run_id: null, kind: 'shell', name: `step-${n}`, status: 'done' },
      summary: 'x'.repeat(8_000),
    }));
    const { stdin } = launchOf('agent', { agent: 'codex', prompt: 'Go.' }, { claim: claimedRun({ outputs }) });
    expect(stdin?.length).toBeLessThan(50_000);
    expect(stdin).toContain('step-63');
  });

  it('that starts over says so to the agent, with the reason', () => {
    const view = { startsOver: 'starts over: the edge has no whole patch of the work before' };
    expect(launchOf('agent', { agent: 'codex', prompt: 'Fix it.' }, view).stdin).toMatch(
      /Earlier runs of this task have begun the work, and this one starts over: the edge has no whole patch of the work before\.$/,
    );
    expect(launchOf('agent', { agent: 'codex', prompt: 'Fix it.' }).stdin).not.toContain('starts over');
  });

  it('that continues an interrupted attempt says so to the agent', () => {
    expect(launchOf('agent', { agent: 'codex', prompt: 'Fix it.' }, { continuesWork: true }).stdin).toMatch(
      /^Fix it\.\n\n[\s\S]*\nAn earlier attempt was interrupted/,
    );
  });
});

describe('a git step', () => {
  const claim = claimedRun({
    worktree: {
      repo: 'app',
      base_ref: 'main',
      base_sha: BASE_SHA,
      branch_name: 'conductor/x',
      patch_checkpoint_id: null,
    },
  });
  const inRepo = { claim, repoPath: '/src/app', baseSha: BASE_SHA };

  it('passes names as arguments, never as text of its script', () => {
    const { argv } = launchOf('git', { action: 'commit', message: '$(reboot)' }, inRepo);
    expect(argv.slice(3)).toEqual(['git', 'conductor/x', '$(reboot)', '/src/app', BASE_SHA, '.']);
    expect(argv[2]).not.toContain('reboot');
  });

  it('merges into the branch that it started from when it names none', () => {
    expect(launchOf('git', { action: 'merge' }, inRepo).argv[5]).toBe('main');
  });

  it('needs a repository', () => {
    const prepared = bound('git', { action: 'commit' }).prepare(stepView());
    expect(prepared).toMatchObject({ verdict: { status: 'failed', error_code: 'no_repository', final: true } });
  });

  it('whose merge is no fast-forward says so', () => {
    const verdict = bound('git', { action: 'merge', into: 'main' }).judge(
      endedStep({ exit: runExit({ exit_code: 1 }) }),
    );
    expect(verdict).toMatchObject({ status: 'failed', error_code: 'not_fast_forward' });
  });
});

describe('a review step', () => {
  it('waits for a person, and shows what has changed', () => {
    const prepared = bound('review', {}).prepare(stepView({ changes: ' a.txt | 2 +-' }));
    expect(prepared).toMatchObject({
      verdict: { status: 'blocked', error_code: 'needs_human', summary: expect.stringContaining('a.txt') },
    });
  });
});

describe('a test step', () => {
  /** The end of a test step that printed that. */
  const printed = (stdoutTail: string, overrides: Parameters<typeof endedStep>[0] = {}) => {
    const reader = bound('test', { script: 'x' }).reader();
    for (const line of stdoutTail.split('\n')) reader?.line(line);
    return endedStep({ reader, stdoutTail, ...overrides });
  };

  it('has the counts of its report before those of its output', () => {
    const end = printed('Tests: 9 passed, 9 total', { report: '<testcase/><testcase/>' });
    expect(bound('test', { script: 'x' }).judge(end)).toMatchObject({
      status: 'succeeded',
      summary: '2 passed, 0 failed',
    });
  });

  it('fails by its exit code, with the counts', () => {
    const end = printed('Tests: 1 failed, 2 passed, 3 total\n', { exit: runExit({ exit_code: 1 }) });
    expect(bound('test', { script: 'x' }).judge(end)).toMatchObject({
      status: 'failed',
      error_code: 'tests_failed',
      error_text: expect.stringContaining('2 passed, 1 failed'),
    });
  });

  it('keeps its output as a checkpoint that begins with the counts', () => {
    const text = bound('test', { script: 'x' }).testOutput(printed('Tests: 3 passed, 3 total\n'));
    expect(JSON.parse(text?.split('\n')[0] ?? '')).toEqual({
      exit_code: 0,
      signal: null,
      counts: { passed: 3, failed: 0, skipped: 0 },
    });
  });
});

describe('a step that did not end by itself', () => {
  const LIMIT = { timeoutMs: 60_000 };

  it.each([
    ['timeout', 'timeout', 'timeout'],
    ['deadline', 'lost', 'deadline'],
    ['canceled', 'canceled', 'canceled'],
    ['handed_over', 'lost', 'handed_over'],
  ] as const)('and was ended by %s is %s', (ended_by, status, error_code) => {
    expect(exitVerdict(runExit({ exit_code: null, ended_by }), LIMIT)).toMatchObject({ status, error_code });
  });

  it.each([
    [3_600_000, 'its time limit of 60 min'],
    [1_500, 'its time limit of 1.5 s'],
  ])('because of its time limit of %d ms names that limit', (timeoutMs, text) => {
    const verdict = exitVerdict(runExit({ exit_code: null, ended_by: 'timeout' }), { timeoutMs });
    expect(verdict?.error_text).toContain(text);
  });

  it('and could not be started says why', () => {
    const error = { code: 'ENOENT', message: 'spawn /opt/x ENOENT' };
    expect(exitVerdict(runExit({ exit_code: null, error }), LIMIT)).toMatchObject({
      status: 'failed',
      error_code: 'program_not_found',
    });
  });
});

describe('the lines of an output', () => {
  function linesOf(chunks: readonly (string | Buffer)[], maxChars?: number): string[] {
    const lines: string[] = [];
    const splitter = new LineSplitter((line) => lines.push(line), maxChars);
    for (const chunk of chunks) splitter.push(Buffer.from(chunk));
    return lines;
  }

  it('are whole, however the bytes arrive, and the unfinished last one is held until nothing more comes', () => {
    const bytes = Buffer.from('ä1\nzwei\n\ndrei');
    expect(linesOf([...bytes].map((byte) => Buffer.from([byte])))).toEqual(['ä1', 'zwei', '']);
    const lines: string[] = [];
    const splitter = new LineSplitter((line) => lines.push(line));
    splitter.push(bytes);
    splitter.close();
    expect(lines.at(-1)).toBe('drei');
  });

  it('that are too long are left out, and the next one is whole', () => {
    expect(linesOf(['12345', '6789\nok\n'], 6)).toEqual(['ok']);
  });

  it('of an agent may have a megabyte; those of more than four are left out', () => {
    const pieces = (chars: number) => Array.from({ length: chars / 65_536 }, () => 'x'.repeat(65_536));
    const mib = 1024 * 1024;
    const lines = linesOf([...pieces(2 * mib), '\n', ...pieces(5 * mib), '\nok\n']);
    expect(lines.map(({ length }) => length)).toEqual([2 * mib, 2]);
  });
});
