import { describe, expect, it } from 'vitest';
import type { InstructionState } from '../../../schema/contracts/instructions.ts';
import type { TrackedInstruction, TransitionContext } from '../../../schema/domain/message-progress.ts';
import {
  applyTransition,
  claimApproved,
  startInstruction,
  withDeadlines,
} from '../../../schema/domain/message-progress.ts';
import { messageOf, statusesOf } from './message.ts';

const NOW = 1_000;
const context: TransitionContext = { mode: 'running', waiting_gate: null, now: NOW };

/** Statuses after the instruction at `index` has become `to`. */
function statusesAfter(
  all: readonly TrackedInstruction[],
  index: number,
  to: InstructionState,
  more: Partial<TransitionContext> = {},
): InstructionState[] {
  return statusesOf(applyTransition(all, `ins_${index}`, to, { ...context, ...more }).statuses);
}

describe('the result of one instruction', () => {
  it('leaves the others claimed, each for its own time and that of the ones before it', () => {
    const { statuses, message, reply_due_at } = applyTransition(
      messageOf('running', 'claimed', 'claimed'),
      'ins_0',
      'succeeded',
      context,
    );
    expect(statusesOf(statuses)).toEqual(['succeeded', 'claimed', 'claimed']);
    expect(statuses.map((one) => one.claim_expires_at)).toEqual([null, NOW + 120_000, NOW + 180_000]);
    expect([message, reply_due_at]).toEqual([null, null]);
  });

  it('is accepted for an instruction that is still claimed, and refused for one that has ended', () => {
    expect(applyTransition(messageOf('claimed'), 'ins_0', 'failed', context).message).toBe('failed');
    expect(() => applyTransition(messageOf('canceled'), 'ins_0', 'succeeded', context)).toThrow('canceled');
  });

  it('blocks the ordinary rest while the system is paused, but not control instructions or running ones', () => {
    const all = messageOf('running', 'claimed', ['claimed', 'control'], 'running');
    const { statuses } = applyTransition(all, 'ins_0', 'succeeded', { ...context, mode: 'paused' });
    expect(statusesOf(statuses)).toEqual(['succeeded', 'blocked', 'claimed', 'running']);
    expect(statuses[1]?.gate).toBe('system_paused');
  });

  it('ends the message when it is the last one, and the message then waits for its reply', () => {
    const done = applyTransition(messageOf('succeeded', 'shadowed', 'running'), 'ins_2', 'succeeded', context);
    expect(done).toMatchObject({ message: 'executed', reply_due_at: NOW + 600_000 });
    expect(done.statuses.map((one) => one.claim_expires_at)).toEqual([null, null, null]);
    expect(applyTransition(messageOf('blocked', 'running'), 'ins_1', 'succeeded', context).message).toBe('failed');
  });

  it.each([
    ['succeeded', 'executed'],
    ['failed', 'failed'],
    ['interrupted', 'failed'],
    ['canceled', null],
    ['denied', null],
  ] as const)('of a message that ends as %s counts as %s for the breaker', (to, counts) => {
    expect(applyTransition(messageOf('running'), 'ins_0', to, context).counts_as).toBe(counts);
  });
});

describe('an instruction that waits behind an approval', () => {
  it('is claimed when everything before it has ended, one at a time', () => {
    const denied = statusesAfter(messageOf('awaiting_approval', 'waiting', 'waiting'), 0, 'denied');
    expect(denied).toEqual(['denied', 'claimed', 'waiting']);
    expect(statusesAfter(messageOf(...denied), 1, 'succeeded')).toEqual(['denied', 'succeeded', 'claimed']);
  });

  it('keeps waiting while another approval before it is open', () => {
    const all = messageOf('awaiting_approval', 'awaiting_approval', 'waiting');
    expect(statusesAfter(all, 0, 'denied')).toEqual(['denied', 'awaiting_approval', 'waiting']);
    expect(statusesAfter(all, 1, 'denied')).toEqual(['awaiting_approval', 'denied', 'waiting']);
  });

  it('leaves the deadline of the other approvals as it was', () => {
    const all = messageOf('awaiting_approval', 'awaiting_approval').map((one) => ({ ...one, approval_expires_at: 7 }));
    const { statuses } = applyTransition(all, 'ins_0', 'denied', context);
    expect(statuses.map((one) => one.approval_expires_at)).toEqual([null, 7]);
  });

  it('is blocked at its turn when a gate applies, unless it is a control instruction', () => {
    const all = messageOf('awaiting_approval', 'waiting', ['waiting', 'control']);
    const { statuses } = applyTransition(all, 'ins_0', 'expired', { ...context, waiting_gate: 'automation_busy' });
    expect(statusesOf(statuses)).toEqual(['expired', 'blocked', 'claimed']);
    expect(statuses[1]?.gate).toBe('automation_busy');
  });
});

it('starting an instruction makes it run and changes the status of no other', () => {
  expect(statusesOf(startInstruction(messageOf('claimed', 'claimed'), 'ins_0', 5))).toEqual(['running', 'claimed']);
});

describe('the deadline of a claim', () => {
  /** Two claims made at NOW: the first lasts 120 s, the second 180 s. */
  const claimed = withDeadlines(messageOf('claimed', 'claimed'), NOW);
  const deadlines = (all: readonly TrackedInstruction[]) => all.map((one) => one.claim_expires_at);

  it('is counted again when its instruction starts; the next claim stays while half a minute is left for delays', () => {
    expect(deadlines(claimed)).toEqual([NOW + 120_000, NOW + 180_000]);
    expect(deadlines(startInstruction(claimed, 'ins_0', NOW + 30_000))).toEqual([NOW + 150_000, NOW + 180_000]);
    expect(deadlines(startInstruction(claimed, 'ins_0', NOW + 30_001))).toEqual([NOW + 150_001, NOW + 210_001]);
  });

  it('stays when an earlier instruction ends early, and moves when it ends late', () => {
    const started = startInstruction(claimed, 'ins_0', NOW);
    const ended = (now: number) => applyTransition(started, 'ins_0', 'succeeded', { ...context, now }).statuses;
    expect(deadlines(ended(NOW + 1_000))).toEqual([null, NOW + 180_000]);
    expect(deadlines(ended(NOW + 90_000))).toEqual([null, NOW + 180_000]);
    expect(deadlines(ended(NOW + 90_001))).toEqual([null, NOW + 210_001]);
  });
});

it('approving an instruction claims it under a new deadline, and changes no other', () => {
  const approved = claimApproved(messageOf('awaiting_approval', 'waiting'), 'ins_0', 5);
  expect(statusesOf(approved)).toEqual(['claimed', 'waiting']);
  expect(approved.map((one) => one.claim_expires_at)).toEqual([5 + 60_000 + 60_000, null]);
  expect(() => claimApproved(messageOf('denied'), 'ins_0', 5)).toThrow('denied');
});
