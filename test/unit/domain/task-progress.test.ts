import { describe, expect, it } from 'vitest';
import { claimScope, whyNothing } from '../../../schema/domain/task-claim.ts';
import { planSteps } from '../../../schema/domain/task-plan.ts';
import type { RunEnd, StepState, TaskState } from '../../../schema/domain/task-progress.ts';
import { cancelTask, endRun, resolveStep, retryTask, succeeded } from '../../../schema/domain/task-progress.ts';

const NOW = 1_000;
const task = (more: Partial<TaskState> = {}): TaskState => ({
  status: 'running',
  current_step_index: 0,
  result_summary: null,
  error_code: null,
  error_text: null,
  cancel_requested_at: null,
  finished_at: null,
  ...more,
});
const step = (more: Partial<StepState> = {}): StepState => ({
  step_index: 0,
  status: 'running',
  attempt: 1,
  max_attempts: 2,
  ready: null,
  summary: null,
  error_code: null,
  error_text: null,
  finished_at: null,
  ...more,
});
const failure = (status: RunEnd['status'], error_code: string, more: Partial<RunEnd> = {}): RunEnd => ({
  status,
  summary: null,
  error_code,
  error_text: null,
  final: false,
  ...more,
});
const whole = (step_count: number) => ({ step_count, now: NOW });
const running = (more: { task?: Partial<TaskState>; step?: Partial<StepState> } = {}) => ({
  task: task(more.task),
  step: step(more.step),
  run: 'running' as const,
});

describe('the end of a run', () => {
  it('lets the next step be claimed when it succeeded', () => {
    const { run, ...next } = endRun(running(), succeeded('built'), whole(2));
    expect(run).toBe('succeeded');
    expect(next).toMatchObject({ step: { status: 'done', summary: 'built' }, task: { status: 'running' } });
    expect(next).toMatchObject({ task: { current_step_index: 1 }, next_ready: 1, rest: 'keep' });
  });

  it('ends the task with the last step, whose summary is the result', () => {
    const next = endRun(running(), succeeded('all good'), whole(1));
    expect(next.task).toMatchObject({ status: 'done', result_summary: 'all good', finished_at: NOW });
  });

  it.each(['failed', 'timeout', 'lost'] as const)(
    'gives a step that %s another attempt while some are left',
    (status) => {
      const next = endRun(running(), failure(status, 'why'), whole(1));
      expect(next).toMatchObject({ run: status, task: { status: 'running' } });
      expect(next.step).toMatchObject({ status: 'pending', ready: 'continues', attempt: 1, error_code: 'why' });
    },
  );

  it.each([
    ['failed', 'failed'],
    ['timeout', 'timeout'],
    ['lost', 'failed'],
  ] as const)('fails the task when the last attempt %s', (status, stepStatus) => {
    const next = endRun(running({ step: { attempt: 2 } }), failure(status, 'why'), whole(3));
    expect(next).toMatchObject({ step: { status: stepStatus }, task: { status: 'failed', error_code: 'why' } });
    expect(next.rest).toBe('cancel');
  });

  it('does not try again what would fail alike', () => {
    const next = endRun(running(), failure('failed', 'denied', { final: true }), whole(1));
    expect(next).toMatchObject({ step: { status: 'failed' }, task: { status: 'failed' } });
  });

  it('gives the attempt back when a pause came before the start, and when the run was handed over', () => {
    const paused = endRun({ ...running(), run: 'prepared' }, failure('canceled', 'system_paused'), whole(1));
    expect(paused).toMatchObject({ run: 'canceled', step: { status: 'pending', attempt: 0, ready: 'continues' } });
    const handed = endRun(running({ step: { attempt: 2 } }), failure('lost', 'handed_over'), whole(1));
    expect(handed).toMatchObject({ run: 'lost', step: { status: 'pending', attempt: 1 }, task: { status: 'running' } });
  });

  it('blocks the task when a person has to decide', () => {
    const next = endRun(running(), failure('blocked', 'needs_human'), whole(2));
    expect(next).toMatchObject({ step: { status: 'blocked' }, task: { status: 'blocked' }, rest: 'keep' });
  });

  it.each(['canceled', 'failed', 'lost', 'timeout'] as const)('cancels a canceled task whose run %s', (status) => {
    const next = endRun(running({ task: { cancel_requested_at: 5 } }), failure(status, 'why'), whole(2));
    expect(next).toMatchObject({ step: { status: 'canceled' }, task: { status: 'canceled' }, rest: 'cancel' });
  });

  it('counts the success of a run that ended before its cancellation arrived', () => {
    const asked = { task: { cancel_requested_at: 5 } };
    expect(endRun(running(asked), succeeded(null), whole(1)).task.status).toBe('done');
    const next = endRun(running(asked), succeeded(null), whole(2));
    expect(next).toMatchObject({ step: { status: 'done' }, task: { status: 'canceled' }, next_ready: null });
  });

  it('cancels the task whose run a person interrupted', () => {
    const next = endRun(running(), failure('canceled', 'interrupted'), whole(2));
    expect(next).toMatchObject({ step: { status: 'canceled' }, task: { status: 'canceled' } });
  });
});

describe('a blocked step', () => {
  const blocked = { task: task({ status: 'blocked', error_code: 'needs_human' }), step: step({ status: 'blocked' }) };

  it('a person lets the task continue with the next step, or ends it with the last one', () => {
    const next = resolveStep(blocked, 'done', 'looks right', whole(2));
    expect(next).toMatchObject({
      task: { status: 'running', error_code: null },
      step: { status: 'done' },
      next_ready: 1,
    });
    expect(resolveStep(blocked, 'done', 'fine', whole(1)).task).toMatchObject({
      status: 'done',
      result_summary: 'fine',
    });
  });

  it('a person rejects it, and the task fails', () => {
    const next = resolveStep(blocked, 'failed', 'wrong file', whole(2));
    expect(next).toMatchObject({ step: { status: 'failed' }, task: { status: 'failed', error_text: 'wrong file' } });
  });

  it('cannot be resolved twice', () => {
    expect(() => resolveStep({ ...blocked, step: step({ status: 'done' }) }, 'done', '', whole(2))).toThrow(
      'the step is',
    );
  });
});

describe('canceling a task', () => {
  it('waits for the end of a running step', () => {
    expect(cancelTask({ task: task(), step: step() }, NOW)).toMatchObject({
      task: { status: 'running', cancel_requested_at: NOW },
      step: { status: 'running' },
      rest: 'keep',
    });
  });

  it('ends at once without one', () => {
    const queued = { task: task({ status: 'queued' }), step: step({ status: 'pending', ready: 'begins' }) };
    const next = cancelTask(queued, NOW);
    expect(next).toMatchObject({ task: { status: 'canceled' }, step: { status: 'canceled', ready: null } });
  });

  it('changes nothing of a task that has ended', () => {
    expect(cancelTask({ task: task({ status: 'done' }), step: step({ status: 'done' }) }, NOW)).toBeNull();
  });
});

describe('retrying a task', () => {
  it('queues a failed or canceled one without the marks of its end', () => {
    const failed = task({ status: 'failed', error_code: 'why', cancel_requested_at: 5, finished_at: 6 });
    expect(retryTask(failed)).toEqual(task({ status: 'queued' }));
  });

  it('refuses a done one', () => {
    expect(() => retryTask(task({ status: 'done' }))).toThrow('the task is done');
  });
});

describe('the plan of a task', () => {
  const request = { title: 'a title', goal: 'make it so' };
  const kinds = (task_type: string) => planSteps({ task_type, ...request })?.map(({ kind }) => kind);

  it('comes from the steps that were given, with the numbers that they leave out', () => {
    const steps = [{ kind: 'shell', name: 'one', input: { argv: ['true'] }, max_attempts: 5 }];
    expect(planSteps({ task_type: 'anything', ...request, steps })).toEqual([
      { step_index: 0, ...steps[0], timeout_ms: 3_600_000 },
    ]);
  });

  it('comes from the template of the type where none were given', () => {
    expect(kinds('shell')).toEqual(['shell']);
    expect(kinds('codex')).toEqual(['agent', 'test', 'review']);
    expect(kinds('git')).toEqual(['git', 'shell', 'git']);
    expect(kinds('unknown')).toBeUndefined();
    expect(kinds('constructor')).toBeUndefined();
  });
});

describe('what a node may claim', () => {
  const facts = {
    mode: 'running' as const,
    controller_id: 'node-a',
    draining: false,
    term: undefined,
    repos: ['app'],
    executors: ['shell'],
  };

  it('is what is addressed to it or was handed over, and with a term what is addressed to no host', () => {
    expect(claimScope(facts)).toMatchObject({ targets: ['node-a', '*'] });
    expect(claimScope({ ...facts, term: 3 })).toMatchObject({ targets: ['node-a', '*', ''] });
  });

  it('is what it has: each repository, or none, with each executor, or a kind that this version does not know', () => {
    expect(claimScope(facts)).toMatchObject({ needs: ['/*', '/shell', 'app/*', 'app/shell'] });
  });

  it('is nothing while the system is paused, and while a person drains the node', () => {
    expect(claimScope({ ...facts, mode: 'paused' })).toBe('system_paused');
    expect(claimScope({ ...facts, draining: true })).toBe('node_draining');
  });

  it('is only what has begun while the system drains', () => {
    expect(claimScope({ ...facts, mode: 'draining' })).toMatchObject({ ready: ['continues'] });
  });

  it('has a reason when it is nothing', () => {
    expect([whyNothing({ mode: 'draining', term: 1 }), whyNothing(facts), whyNothing({ ...facts, term: 1 })]).toEqual([
      'system_draining',
      'skipped_not_leader',
      'nothing_to_claim',
    ]);
  });
});
