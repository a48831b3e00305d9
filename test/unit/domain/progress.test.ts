import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { InstructionState } from '../../../schema/contracts/instructions.ts';
import { INSTRUCTION_STATES, RESULT_STATUSES } from '../../../schema/contracts/instructions.ts';
import { isExecutingStatus, isOpenStatus } from '../../../schema/domain/instruction-machine.ts';
import type { TrackedInstruction, TransitionContext } from '../../../schema/domain/message-progress.ts';
import { applyTransition, startInstruction } from '../../../schema/domain/message-progress.ts';
import type { ProgressItem } from '../../../schema/domain/progress.ts';
import { applyProgress } from '../../../schema/domain/progress.ts';
import { Coverage } from '../../support/coverage.ts';
import { messageOf, statusesOf } from './message.ts';

const NOW = 1_000;
const context: TransitionContext = { mode: 'running', waiting_gate: null, now: NOW };

function item(index: number, started: boolean, status: NonNullable<ProgressItem['result']>['status'] | null = null) {
  const started_at = started ? NOW : null;
  return {
    instruction_id: `ins_${index}`,
    started_at,
    chunk: null,
    result: status === null ? null : { status },
    approval: null,
  };
}
const stepsOf = ({ steps }: ReturnType<typeof applyProgress>) =>
  steps.map((step) => `${step.item?.instruction_id} ${step.type}`);

describe('a report of several instructions', () => {
  it('applies every start before the first result, and the results in message order', () => {
    const items = [item(1, true, 'failed'), item(0, true, 'succeeded')];
    const progress = applyProgress(messageOf('claimed', 'claimed'), items, context);
    expect(stepsOf(progress)).toEqual(['ins_0 started', 'ins_1 started', 'ins_0 ended', 'ins_1 ended']);
    expect(statusesOf(progress.statuses)).toEqual(['succeeded', 'failed']);
    expect(progress).toMatchObject({ message: 'failed', counts_as: 'failed', reply_due_at: NOW + 600_000 });
  });

  it('under a pause blocks only the instructions that have not started', () => {
    const items = [item(0, true, 'succeeded'), item(1, true)];
    const progress = applyProgress(messageOf('claimed', 'claimed', 'claimed'), items, { ...context, mode: 'paused' });
    expect(statusesOf(progress.statuses)).toEqual(['succeeded', 'running', 'blocked']);
  });

  it('appends live output after the starts and before the results', () => {
    const items = [{ ...item(0, true, 'succeeded'), chunk: {} }];
    expect(stepsOf(applyProgress(messageOf('claimed'), items, context))).toEqual([
      'ins_0 started',
      'ins_0 output',
      'ins_0 ended',
    ]);
  });

  it('releases a waiting instruction, and takes its result, in one report', () => {
    const all = messageOf('running', 'waiting');
    const progress = applyProgress(all, [item(0, false, 'succeeded'), item(1, false, 'succeeded')], context);
    expect(statusesOf(progress.statuses)).toEqual(['succeeded', 'succeeded']);
    expect(progress.message).toBe('executed');
  });

  it('counts the time for an approval from when a person is shown what is asked, at the turn of the instruction', () => {
    const shown = { ...item(1, false), approval: {} };
    const all = messageOf('running', ['waiting', 'asks']);
    // Too early: it is not its turn.
    expect(stepsOf(applyProgress(all, [shown], context))).toEqual([]);
    const turn = applyProgress(all, [item(0, false, 'succeeded')], context);
    expect(turn.statuses[1]).toMatchObject({ status: 'awaiting_approval', approval_expires_at: NOW + 900_000 });
    const later = { ...context, now: NOW + 60_000 };
    const asked = applyProgress(turn.statuses, [shown], later);
    expect(stepsOf(asked)).toEqual(['ins_1 asked']);
    expect(asked.statuses[1]).toMatchObject({ status: 'awaiting_approval', approval_expires_at: NOW + 960_000 });
    expect(stepsOf(applyProgress(all, [item(0, false, 'succeeded'), shown], context))).toEqual([
      'ins_0 ended',
      'ins_1 asked',
    ]);
  });

  it.each<InstructionState>(['interrupted', 'awaiting_approval', 'blocked'])(
    'takes the result of an instruction that is %s as late, and changes no status',
    (status) => {
      const all = messageOf(status, 'running');
      const progress = applyProgress(all, [item(0, true, 'succeeded')], context);
      expect(stepsOf(progress)).toEqual(['ins_0 late_result']);
      expect(progress.statuses).toEqual(all);
      expect(progress.message).toBeNull();
    },
  );

  it('keeps the end of the message when a late result follows it', () => {
    const items = [item(0, false, 'succeeded'), item(1, false, 'failed')];
    const progress = applyProgress(messageOf('running', 'canceled'), items, context);
    expect(stepsOf(progress)).toEqual(['ins_0 ended', 'ins_1 late_result']);
    expect(progress.message).toBe('failed');
  });

  it('an empty report under a pause blocks the claimed ordinary instructions, and ends a message that has no other', () => {
    const paused = { ...context, mode: 'paused' } as const;
    const running = applyProgress(messageOf('running', 'claimed', ['claimed', 'control']), [], paused);
    expect(statusesOf(running.statuses)).toEqual(['running', 'blocked', 'claimed']);
    expect(running).toMatchObject({ message: null, steps: [{ item: null, type: 'blocked' }] });
    const last = applyProgress(messageOf('succeeded', 'claimed'), [], paused);
    expect(last.statuses[1]).toMatchObject({ status: 'blocked', gate: 'system_paused' });
    expect(last).toMatchObject({ message: 'failed', reply_due_at: NOW + 600_000 });
  });

  it.each([
    ['running', messageOf('running', 'claimed')],
    ['draining', messageOf('claimed')],
    ['paused', messageOf('running', ['claimed', 'control'], 'awaiting_approval', 'waiting')],
  ] as const)('an empty report changes nothing in mode %s when nothing has to be blocked', (mode, all) => {
    expect(applyProgress(all, [], { ...context, mode })).toEqual({
      statuses: all,
      message: null,
      reply_due_at: null,
      counts_as: null,
      steps: [],
    });
  });

  it('ignores a repeated start', () => {
    expect(applyProgress(messageOf('running'), [item(0, true)], context).steps).toEqual([]);
  });
});

const REACHED = ['late', 'blocked', 'released', 'executed', 'failed', 'started and ended'] as const;

it('a report of several instructions leaves the message as the same reports one at a time leave it', () => {
  const reached = new Coverage<(typeof REACHED)[number]>();
  const statuses = fc.array(
    fc.oneof(
      { weight: 5, arbitrary: fc.constantFrom<InstructionState>('claimed', 'running', 'waiting') },
      { weight: 1, arbitrary: fc.constantFrom(...INSTRUCTION_STATES) },
    ),
    { minLength: 1, maxLength: 6, size: 'max' },
  );
  const result = fc.oneof(
    { weight: 4, arbitrary: fc.constant('succeeded' as const) },
    { weight: 1, arbitrary: fc.constantFrom(...RESULT_STATUSES) },
  );
  const reports = fc.array(fc.record({ started: fc.boolean(), result: fc.option(result, { freq: 4 }) }), {
    minLength: 8,
    maxLength: 8,
  });
  const around = fc.record({
    mode: fc.constantFrom('running', 'running', 'paused', 'draining'),
    waiting_gate: fc.constantFrom(null, null, 'automation_busy'),
  });
  fc.assert(
    fc.property(statuses, reports, around, (first, reported, more) => {
      const all = messageOf(...first);
      const items = all.map((_one, n) => item(n, reported[n]?.started ?? false, reported[n]?.result ?? null));
      const given = { ...context, ...more } as TransitionContext;
      const together = applyProgress(all, items, given);
      const apart = oneAtATime(all, items, given);
      expect(together.statuses).toEqual(apart.statuses);
      expect(together.message).toBe(apart.message);
      expect(together.message === null).toBe(
        together.steps.every((step) => step.type !== 'ended') ||
          together.statuses.some((one) => isOpenStatus(one.status)),
      );
      if (together.message !== null) reached.reach(together.message);
      for (const { type, item: own } of together.steps) {
        if (type === 'late_result') reached.reach('late');
        if (type === 'ended' && own.started_at !== null) reached.reach('started and ended');
      }
      together.statuses.forEach(({ status }, n) => {
        if (status === 'blocked' && first[n] !== 'blocked') reached.reach('blocked');
        if (status !== 'waiting' && status !== 'blocked' && first[n] === 'waiting') reached.reach('released');
      });
    }),
    { numRuns: 1_000 },
  );
  reached.expectEach(REACHED, 50);
});

/** Each start and each result as a report of its own, decided by the transitions alone. */
function oneAtATime(all: readonly TrackedInstruction[], items: readonly ProgressItem[], given: TransitionContext) {
  let statuses = [...all];
  let message: 'executed' | 'failed' | null = null;
  const statusOf = (id: string) => statuses.find((one) => one.instruction_id === id)?.status ?? 'denied';
  for (const { instruction_id, started_at } of items) {
    if (started_at !== null && statusOf(instruction_id) === 'claimed') {
      statuses = startInstruction(statuses, instruction_id, NOW);
    }
  }
  for (const { instruction_id, result } of items) {
    if (result === null || !isExecutingStatus(statusOf(instruction_id))) continue;
    const ended = applyTransition(statuses, instruction_id, result.status, given);
    ({ statuses } = ended);
    message ??= ended.message;
  }
  return { statuses, message };
}
