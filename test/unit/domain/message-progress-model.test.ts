import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { InstructionState } from '../../../schema/contracts/instructions.ts';
import { isExecutingStatus, isOpenStatus, mayBecome } from '../../../schema/domain/instruction-machine.ts';
import type { TransitionContext } from '../../../schema/domain/message-progress.ts';
import {
  applyTransition,
  claimApproved,
  isBehindApproval,
  startInstruction,
} from '../../../schema/domain/message-progress.ts';
import { Coverage } from '../../support/coverage.ts';
import { messageOf, statusesOf } from './message.ts';

const ENDS = ['succeeded', 'failed', 'interrupted', 'canceled', 'expired', 'denied'] as const;
const EVENTS = [...ENDS, 'started', 'approved', 'blocked', 'released', 'asked', 'executed', 'message_failed'] as const;
const NOW = 1_000;

const initial = fc.oneof(
  { weight: 4, arbitrary: fc.constant<InstructionState>('claimed') },
  { weight: 3, arbitrary: fc.constant<[InstructionState, 'asks']>(['waiting', 'asks']) },
  { weight: 5, arbitrary: fc.constantFrom<InstructionState>('awaiting_approval', 'waiting', 'denied', 'shadowed') },
);
const step = fc.record({
  at: fc.nat(59),
  to: fc.oneof(
    { weight: 9, arbitrary: fc.constantFrom('started', 'approved', 'succeeded') },
    { weight: 3, arbitrary: fc.constantFrom(...ENDS) },
  ),
  mode: fc.constantFrom('running', 'running', 'paused', 'draining'),
  waiting_gate: fc.constantFrom(null, null, 'automation_busy'),
});

it('in every order of events each move is in the table, and a message ends exactly when no instruction is open', () => {
  const reached = new Coverage<(typeof EVENTS)[number]>();
  const states = fc.array(initial, { minLength: 1, maxLength: 5, size: 'max' });
  const steps = fc.array(step, { maxLength: 40, size: 'max' });
  fc.assert(
    fc.property(states, steps, (first, events) => {
      let all = messageOf(...first);
      for (const { at, to, ...context } of events) {
        const open = all.filter((one) => isOpenStatus(one.status));
        const one = open[at % open.length];
        if (one === undefined) break;
        const before = statusesOf(all);
        if (to === 'started') {
          if (one.status !== 'claimed') continue;
          all = startInstruction(all, one.instruction_id, NOW);
        } else if (to === 'approved') {
          if (one.status !== 'awaiting_approval' || isBehindApproval(all, one.index)) continue;
          all = claimApproved(all, one.instruction_id, NOW);
        } else {
          if (!mayBecome(one.status, to) && !(one.status === 'claimed' && mayBecome('running', to))) continue;
          const result = applyTransition(all, one.instruction_id, to, { ...(context as TransitionContext), now: NOW });
          all = result.statuses;
          expect(result.message === null).toBe(all.some((now) => isOpenStatus(now.status)));
          if (result.message !== null) reached.reach(result.message === 'failed' ? 'message_failed' : 'executed');
        }
        reached.reach(to);
        all.forEach((now, n) => {
          const was = before[n] ?? now.status;
          const viaRunning = was === 'claimed' && n === one.index && mayBecome('running', now.status);
          expect(was === now.status || mayBecome(was, now.status) || viaRunning).toBe(true);
          if (was !== 'blocked' && now.status === 'blocked') reached.reach('blocked');
          if (was === 'waiting' && (now.status === 'claimed' || now.status === 'awaiting_approval')) {
            reached.reach(now.status === 'claimed' ? 'released' : 'asked');
            // One that asks is never claimed without a person.
            expect(now.status === 'awaiting_approval').toBe(now.asks);
            expect(all.slice(0, n).some((earlier) => isOpenStatus(earlier.status))).toBe(false);
          }
          if (isExecutingStatus(now.status) && was !== now.status) expect(now.claim_expires_at).toBeGreaterThan(NOW);
        });
      }
    }),
    { numRuns: 1_000 },
  );
  reached.expectEach(EVENTS, 20);
});
