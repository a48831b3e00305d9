import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { InstructionState } from '../../../schema/contracts/instructions.ts';
import { INSTRUCTION_STATES, POLICY_DECISIONS } from '../../../schema/contracts/instructions.ts';
import { isOpenStatus, isStoppedStatus, mayBecome } from '../../../schema/domain/instruction-machine.ts';
import { decideResubmission } from '../../../schema/domain/resubmission.ts';
import { Coverage } from '../../support/coverage.ts';
import { FREE, stoppedMessage, verdicts } from './message.ts';

const REACHED = ['claimed', 'awaiting_approval', 'waiting', 'denied', 'shadowed'] as const;
const instruction = fc.record({
  status: fc.oneof(
    fc.constantFrom<InstructionState>('blocked', 'expired'),
    fc.constantFrom(...INSTRUCTION_STATES.filter((status) => !isOpenStatus(status))),
  ),
  decision: fc.option(fc.constantFrom(...POLICY_DECISIONS, 'allow' as const, 'ask' as const), { freq: 8 }),
});
const gates = fc.record({
  mode: fc.constantFrom('running', 'running', 'paused', 'draining'),
  busy: fc.constantFrom(false, false, true),
});

it('a resubmission moves only stopped instructions, claims none through a gate, and gives each open one a deadline', () => {
  const reached = new Coverage<InstructionState>();
  fc.assert(
    fc.property(fc.array(instruction, { minLength: 1, maxLength: 8, size: 'max' }), gates, (given, gate) => {
      const before = stoppedMessage(given.map(({ status }) => status));
      const judged = verdicts(...given.map(({ decision }) => decision));
      const { statuses, message } = decideResubmission(before, judged, {
        ...FREE,
        ...gate,
        automation_status: 'auto',
        now: 1_000,
      });
      statuses.forEach((after, at) => {
        const was = before[at]?.status ?? 'denied';
        if (after.status !== was) {
          reached.reach(after.status);
          expect(isStoppedStatus(was) && mayBecome(was, after.status)).toBe(true);
        }
        if (isOpenStatus(after.status)) expect(gate.mode === 'paused' || gate.busy).toBe(false);
        expect(after.claim_expires_at !== null).toBe(after.status === 'claimed');
        expect(after.approval_expires_at !== null).toBe(after.status === 'awaiting_approval');
      });
      const isOpen = statuses.some(({ status }) => isOpenStatus(status));
      expect(isOpen).toBe(message === 'accepted' || message === 'awaiting_approval');
    }),
    { numRuns: 1_000 },
  );
  reached.expectEach(REACHED, 20);
});
