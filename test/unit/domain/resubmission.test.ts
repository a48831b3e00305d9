import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { InstructionState, PolicyDecision, PolicyVerdict } from '../../../schema/contracts/instructions.ts';
import { INSTRUCTION_STATES, POLICY_DECISIONS } from '../../../schema/contracts/instructions.ts';
import { isOpenStatus, isStoppedStatus, mayBecome } from '../../../schema/domain/instruction-machine.ts';
import type { StoppedInstruction } from '../../../schema/domain/resubmission.ts';
import { decideResubmission } from '../../../schema/domain/resubmission.ts';

const facts = { mode: 'running', automation_status: 'auto', busy: false, now: 1_000 } as const;

function stopped(statuses: readonly InstructionState[], tool = 'exec'): StoppedInstruction[] {
  const params = tool === 'exec' ? { argv: ['true'] } : {};
  return statuses.map((status, index) => ({
    instruction_id: `ins_${index}`,
    index,
    status,
    gate: status === 'blocked' ? 'system_paused' : null,
    control: tool !== 'exec',
    timeout_ms: 60_000,
    claim_expires_at: null,
    approval_expires_at: null,
    input: { block_index: 0, index, target: 'conductor', tool, params },
  }));
}
function verdicts(...decisions: (PolicyDecision | null)[]): Map<string, PolicyVerdict> {
  return new Map(
    decisions.flatMap((decision, n) => (decision === null ? [] : [[`ins_${n}`, { decision, rule: 'r' }] as const])),
  );
}
const statuses = (all: readonly { status: InstructionState }[]) => all.map((one) => one.status);

describe('a stopped message whose instructions are judged again', () => {
  it.each([
    ['allowed', ['allow', 'allow'], ['claimed', 'claimed'], 'accepted'],
    ['held for approval', ['ask', 'allow'], ['awaiting_approval', 'waiting'], 'awaiting_approval'],
    ['denied', ['deny', 'deny'], ['denied', 'denied'], 'denied_only'],
    ['run in shadow only', ['shadow', 'shadow'], ['shadowed', 'shadowed'], 'executed'],
    ['found again in part', ['allow', null], ['claimed', 'blocked'], 'accepted'],
    ['not found again', [null, null], ['blocked', 'blocked'], 'system_paused'],
  ] as const)(
    'a message whose instructions are %s gets statuses accordingly',
    (_name, decisions, expected, message) => {
      const decided = decideResubmission(stopped(['blocked', 'blocked']), verdicts(...decisions), facts);
      expect(statuses(decided.statuses)).toEqual(expected);
      expect(decided.message).toBe(message);
    },
  );

  it('an ordinary instruction keeps its status under a gate, and a control instruction passes it', () => {
    const held = decideResubmission(stopped(['expired']), verdicts('allow'), { ...facts, automation_status: 'paused' });
    expect(held).toMatchObject({
      statuses: [{ status: 'expired', gate: 'automation_paused' }],
      message: 'automation_paused',
    });
    const control = stopped(['blocked'], 'system/resume');
    const passed = decideResubmission(control, verdicts('control'), { ...facts, mode: 'paused' });
    expect(passed.message).toBe('accepted');
  });

  it('only stopped instructions change, none is claimed under a gate, and every open one has a deadline', () => {
    const one = fc.record({
      status: fc.constantFrom(...INSTRUCTION_STATES.filter((status) => !isOpenStatus(status))),
      decision: fc.option(fc.constantFrom(...POLICY_DECISIONS)),
    });
    const around = fc.record({ mode: fc.constantFrom('running', 'paused', 'draining'), busy: fc.boolean() });
    fc.assert(
      fc.property(fc.array(one, { minLength: 1, maxLength: 8 }), around, (given, more) => {
        const before = stopped(given.map(({ status }) => status));
        const { statuses, message } = decideResubmission(before, verdicts(...given.map((each) => each.decision)), {
          ...facts,
          ...more,
        } as Parameters<typeof decideResubmission>[2]);
        statuses.forEach((after, at) => {
          const was = before[at]?.status ?? 'denied';
          if (after.status !== was) expect(isStoppedStatus(was) && mayBecome(was, after.status)).toBe(true);
          if (isOpenStatus(after.status)) expect(more.mode === 'paused' || more.busy).toBe(false);
          expect(after.claim_expires_at !== null).toBe(after.status === 'claimed');
          expect(after.approval_expires_at !== null).toBe(after.status === 'awaiting_approval');
        });
        const waits = statuses.some((each) => isOpenStatus(each.status));
        expect(waits).toBe(message === 'accepted' || message === 'awaiting_approval');
      }),
    );
  });
});
