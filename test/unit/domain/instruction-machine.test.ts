import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { InstructionState } from '../../../schema/contracts/instructions.ts';
import { INSTRUCTION_STATES } from '../../../schema/contracts/instructions.ts';
import type { Standing, Surroundings } from '../../../schema/domain/instruction-machine.ts';
import {
  approve,
  begin,
  INSTRUCTION_TRANSITIONS,
  isOpen,
  mayBecome,
  OPEN_STATES,
  settle,
} from '../../../schema/domain/instruction-machine.ts';

const around: Surroundings = { mode: 'running', waiting_gate: null, now: 1_000 };

function standing(...statuses: (InstructionState | [InstructionState, 'control'])[]): Standing[] {
  return statuses.map((given, index) => ({
    instruction_id: `ins_${index}`,
    index,
    status: Array.isArray(given) ? given[0] : given,
    gate: null,
    control: Array.isArray(given),
    timeout_ms: 60_000,
    claim_expires_at: null,
  }));
}
const statuses = (all: readonly Standing[]) => all.map((one) => one.status);

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
    const { standing: after, message } = settle(
      standing('running', 'claimed', 'claimed'),
      'ins_0',
      'succeeded',
      around,
    );
    expect(statuses(after)).toEqual(['succeeded', 'claimed', 'claimed']);
    expect(after[1]?.claim_expires_at).toBe(1_000 + 2 * 60_000 + 60_000);
    expect(message).toBeNull();
  });

  it('may come for one that is still claimed, and not for one that is over', () => {
    expect(settle(standing('claimed'), 'ins_0', 'failed', around).message).toBe('failed');
    expect(() => settle(standing('interrupted'), 'ins_0', 'succeeded', around)).toThrow('interrupted');
  });

  it('under a pause blocks the ordinary rest, and leaves control instructions and what is running', () => {
    const all = standing('running', 'claimed', ['claimed', 'control'], 'running');
    const { standing: after } = settle(all, 'ins_0', 'succeeded', { ...around, mode: 'paused' });
    expect(statuses(after)).toEqual(['succeeded', 'blocked', 'claimed', 'running']);
    expect(after[1]?.gate).toBe('system_paused');
  });

  it('releases what waits one by one, when everything before it has ended', () => {
    const all = standing('awaiting_approval', 'waiting', 'waiting');
    const { standing: after } = settle(all, 'ins_0', 'denied', around);
    expect(statuses(after)).toEqual(['denied', 'claimed', 'waiting']);
    expect(statuses(settle(after, 'ins_1', 'succeeded', around).standing)).toEqual(['denied', 'succeeded', 'claimed']);
  });

  it('blocks what waits when its turn comes and a gate stands', () => {
    const all = standing('awaiting_approval', 'waiting', ['waiting', 'control']);
    const { standing: after } = settle(all, 'ins_0', 'expired', { ...around, waiting_gate: 'automation_busy' });
    expect(statuses(after)).toEqual(['expired', 'blocked', 'claimed']);
    expect(after[1]?.gate).toBe('automation_busy');
  });

  it('of the last one ends the message, which then waits for its reply', () => {
    const done = settle(standing('succeeded', 'shadowed', 'running'), 'ins_2', 'succeeded', around);
    expect(done.message).toBe('executed');
    expect(done.standing.map((one) => one.claim_expires_at)).toEqual([null, null, 1_000 + 600_000]);
    expect(settle(standing('blocked', 'running'), 'ins_1', 'succeeded', around).message).toBe('failed');
  });
});

it('beginning one makes it run and touches no other', () => {
  expect(statuses(begin(standing('claimed', 'claimed'), 'ins_0', 5))).toEqual(['running', 'claimed']);
});

it('approving one claims it under a deadline of its own, and nothing else', () => {
  const after = approve(standing('awaiting_approval', 'waiting'), 'ins_0', 5);
  expect(statuses(after)).toEqual(['claimed', 'waiting']);
  expect(after.map((one) => one.claim_expires_at)).toEqual([5 + 60_000 + 60_000, null]);
  expect(() => approve(standing('denied'), 'ins_0', 5)).toThrow('denied');
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
      let all = standing(...first);
      for (const { at, to, ...rest } of steps) {
        const one = all[at];
        if (one === undefined || !isOpen(one.status)) continue;
        if (!mayBecome(one.status, to) && !(one.status === 'claimed' && mayBecome('running', to))) continue;
        const { standing: after, message } = settle(all, one.instruction_id, to, { ...around, ...rest });
        after.forEach((now, n) => {
          const was = all[n]?.status ?? now.status;
          const viaRunning = was === 'claimed' && mayBecome('running', now.status);
          expect(was === now.status || mayBecome(was, now.status) || viaRunning).toBe(true);
        });
        expect(message === null).toBe(after.some((now) => isOpen(now.status)));
        for (const now of after) if (now.status === 'claimed') expect(now.claim_expires_at).toBeGreaterThan(around.now);
        all = after;
      }
    }),
  );
});
