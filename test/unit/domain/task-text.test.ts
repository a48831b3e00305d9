import { describe, expect, it } from 'vitest';
import { approvalDisplay } from '../../../schema/domain/approval.ts';
import { taskText } from '../../../schema/domain/task-text.ts';

const shown = (params: Record<string, unknown>) => approvalDisplay(taskText({ title: 'Greet', ...params }) ?? '');

describe('a new task, as a person reads it before an approval', () => {
  it('has the steps of its template, with what each of them runs', () => {
    const text = shown({ task_type: 'codex', goal: 'Fix it.\nThen test it.', acceptance: ['it greets'], repo: 'app' });
    expect(text).toBe(
      [
        'title: "Greet"',
        'repo: "app"',
        'task_type: "codex"',
        'goal:',
        '  | Fix it.',
        '  | Then test it.',
        'accepted when:',
        '  | it greets',
        '',
        'step 1 of 3: agent "codex", at most 60 min, 2 attempts',
        'prompt: made of the goal, the constraints, what it is accepted by, and what the steps before it left',
        'agent: "codex"',
        '',
        'step 2 of 3: test "test", at most 60 min, 2 attempts',
        "runs: the repository's own test command",
        '',
        'step 3 of 3: review "review", at most 60 min, 2 attempts',
      ].join('\n'),
    );
  });

  it('has a script and a prompt line by line, and each word of an argv', () => {
    const steps = [
      { kind: 'shell', name: 'build', input: { script: 'set -e\n\nmake all', cwd: 'src' }, max_attempts: 1 },
      { kind: 'shell', name: 'run', input: { argv: ['./app', 'two words', '--all'] } },
      { kind: 'agent', name: 'ask', input: { agent: 'codex', prompt: 'Look.\nSay.' } },
      { kind: 'deploy', name: 'later', input: { to: { host: 'mini' } } },
    ];
    const text = shown({ task_type: 'mine', goal: 'Do it.', steps });
    expect(text).toContain(
      'step 1 of 4: shell "build", at most 60 min, 1 attempt\nscript:\n  | set -e\n\n  | make all\ncwd: "src"\n',
    );
    expect(text).toContain('argv: ./app "two words" --all\n');
    expect(text).toContain('agent: "codex"\nprompt:\n  | Look.\n  | Say.\n');
    expect(text).toContain('step 4 of 4: deploy "later", at most 60 min, 2 attempts\nto: {"host":"mini"}');
  });

  it('shows no line of a text as a step, and nothing pushed out of sight', () => {
    const goal = `Say hello.\nstep 1 of 1: shell "harmless"${'\n'.repeat(40)}rm -rf .`;
    const text = shown({ task_type: 'shell', goal });
    expect(text.match(/^step \d/gm)).toHaveLength(1);
    const steps = [{ kind: 'deploy', name: 'later', input: { 'to\nstep 2 of 2: shell "x"': 1 } }];
    expect(shown({ task_type: 'mine', goal, steps }).match(/^step \d/gm)).toHaveLength(1);
    expect(text).toContain('  | step 1 of 1');
    expect(text.split('\n').length).toBeLessThan(20);
  });

  it('has every field that is given', () => {
    const constraints = { target_host: 'mini', takeover_after_ms: 60_000 };
    const text = shown({
      task_type: 'shell',
      goal: 'x',
      constraints,
      notify: false,
      branch_name: 'b',
      metadata: { a: '1' },
    });
    for (const field of [
      'constraints: {"target_host":"mini"',
      'notify: false',
      'branch_name: "b"',
      'metadata: {"a":"1"}',
    ]) {
      expect(text).toContain(field);
    }
  });

  it('is nothing for parameters that make no task', () => {
    expect(taskText({ task_type: 'unknown', title: 'x', goal: 'y' })).toBeNull();
    expect(taskText({ goal: 'y' })).toBeNull();
  });
});
