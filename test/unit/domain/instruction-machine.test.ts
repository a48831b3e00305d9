import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { InstructionState } from '../../../schema/contracts/instructions.ts';
import { INSTRUCTION_STATES } from '../../../schema/contracts/instructions.ts';
import {
  INSTRUCTION_TRANSITIONS,
  isOpenStatus,
  mayBecome,
  OPEN_STATES,
} from '../../../schema/domain/instruction-machine.ts';
import type { TrackedInstruction, TransitionContext } from '../../../schema/domain/message-progress.ts';
import { applyTransition, claimApproved, startInstruction } from '../../../schema/domain/message-progress.ts';

const around: TransitionContext = { mode: 'running', waiting_gate: null, now: 1_000 };

function messageOf(...states: (InstructionState | [InstructionState, 'control'])[]): TrackedInstruction[] {
  return states.map((given, index) => ({
    instruction_id: `ins_${index}`,
    index,
    status: Array.isArray(given) ? given[0] : given,
    gate: null,
    control: Array.isArray(given),
    timeout_ms: 60_000,
    claim_expires_at: null,
  }));
}
const statuses = (all: readonly TrackedInstruction[]) => all.map((one) => one.status);

describe('the drawing in the docs', () => {
  it('shows exactly the transitions of the table', () => {
    const page = readFileSync(new URL('../../../docs/state-machines.md', import.meta.url), 'utf8');
    const [, drawing = ''] = /## Instruction[\s\S]*?```mermaid\n([\s\S]*?)```/.exec(page) ?? [];
    const drawn = [...drawing.matchAll(/^\s*(\w+) --> (\w+)/gm)].map(([, from, to]) => `${from} ${to}`);
    const table = INSTRUCTION_STATES.flatMap((from) => INSTRUCTION_TRANSITIONS[from].map((to) => `${from} ${to}`));
    expect(drawn.toSorted()).toEqual(table.toSorted());
  });
});

describe('a result', () => {
  it('leaves the others claimed, under a deadline counted anew', () => {
    const { statuses: after, message } = applyTransition(
      messageOf('running', 'claimed', 'claimed'),
      'ins_0',
      'succeeded',
      around,
    );
    expect(statuses(after)).toEqual(['succeeded', 'claimed', 'claimed']);
    expect(after[1]?.claim_expires_at).toBe(1_000 + 2 * 60_000 + 60_000);
    expect(message).toBeNull();
  });

  it('may come for one that is still claimed, and not for one that is over', () => {
    expect(applyTransition(messageOf('claimed'), 'ins_0', 'failed', around).message).toBe('failed');
    expect(() => applyTransition(messageOf('interrupted'), 'ins_0', 'succeeded', around)).toThrow('interrupted');
  });

  it('under a pause blocks the ordinary rest, and leaves control instructions and what is running', () => {
    const all = messageOf('running', 'claimed', ['claimed', 'control'], 'running');
    const { statuses: after } = applyTransition(all, 'ins_0', 'succeeded', { ...around, mode: 'paused' });
    expect(statuses(after)).toEqual(['succeeded', 'blocked', 'claimed', 'running']);
    expect(after[1]?.gate).toBe('system_paused');
  });

  it('releases what waits one by one, when everything before it has ended', () => {
    const all = messageOf('awaiting_approval', 'waiting', 'waiting');
    const { statuses: after } = applyTransition(all, 'ins_0', 'denied', around);
    expect(statuses(after)).toEqual(['denied', 'claimed', 'waiting']);
    expect(statuses(applyTransition(after, 'ins_1', 'succeeded', around).statuses)).toEqual([
      'denied',
      'succeeded',
      'claimed',
    ]);
  });

  it('blocks what waits when its turn comes and a gate stands', () => {
    const all = messageOf('awaiting_approval', 'waiting', ['waiting', 'control']);
    const { statuses: after } = applyTransition(all, 'ins_0', 'expired', {
      ...around,
      waiting_gate: 'automation_busy',
    });
    expect(statuses(after)).toEqual(['expired', 'blocked', 'claimed']);
    expect(after[1]?.gate).toBe('automation_busy');
  });

  it('of the last one ends the message, which then waits for its reply', () => {
    const done = applyTransition(messageOf('succeeded', 'shadowed', 'running'), 'ins_2', 'succeeded', around);
    expect(done.message).toBe('executed');
    expect(done.statuses.map((one) => one.claim_expires_at)).toEqual([null, null, 1_000 + 600_000]);
    expect(applyTransition(messageOf('blocked', 'running'), 'ins_1', 'succeeded', around).message).toBe('failed');
  });
});

it('beginning one makes it run and touches no other', () => {
  expect(statuses(startInstruction(messageOf('claimed', 'claimed'), 'ins_0', 5))).toEqual(['running', 'claimed']);
});

it('approving one claims it under a deadline of its own, and nothing else', () => {
  const after = claimApproved(messageOf('awaiting_approval', 'waiting'), 'ins_0', 5);
  expect(statuses(after)).toEqual(['claimed', 'waiting']);
  expect(after.map((one) => one.claim_expires_at)).toEqual([5 + 60_000 + 60_000, null]);
  expect(() => claimApproved(messageOf('denied'), 'ins_0', 5)).toThrow('denied');
});

it('whatever happens in whatever order, every move is in the table, and a message ends exactly when nothing is open', () => {
  const open = fc.constantFrom<InstructionState>(...OPEN_STATES, 'blocked', 'denied', 'shadowed');
  const step = fc.record({
    at: fc.nat(5),
    to: fc.constantFrom<InstructionState>('succeeded', 'failed', 'interrupted', 'canceled', 'expired', 'denied'),
    mode: fc.constantFrom('running', 'paused', 'draining'),
    waiting_gate: fc.constantFrom(null, 'automation_busy'),
  });
  fc.assert(
    fc.property(fc.array(open, { minLength: 1, maxLength: 6 }), fc.array(step), (first, steps) => {
      let all = messageOf(...first);
      for (const { at, to, ...rest } of steps) {
        const one = all[at];
        if (one === undefined || !isOpenStatus(one.status)) continue;
        if (!mayBecome(one.status, to) && !(one.status === 'claimed' && mayBecome('running', to))) continue;
        const { statuses: after, message } = applyTransition(all, one.instruction_id, to, { ...around, ...rest });
        after.forEach((now, n) => {
          const was = all[n]?.status ?? now.status;
          const viaRunning = was === 'claimed' && mayBecome('running', now.status);
          expect(was === now.status || mayBecome(was, now.status) || viaRunning).toBe(true);
        });
        expect(message === null).toBe(after.some((now) => isOpenStatus(now.status)));
        for (const now of after) if (now.status === 'claimed') expect(now.claim_expires_at).toBeGreaterThan(around.now);
        all = after;
      }
    }),
  );
});
