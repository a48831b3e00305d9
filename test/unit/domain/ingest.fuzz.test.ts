import fc from 'fast-check';
import { expect, it } from 'vitest';
import { AUTOMATION_STATUSES } from '../../../schema/contracts/conversations.ts';
import type { InstructionInput, InstructionState, PolicyDecision } from '../../../schema/contracts/instructions.ts';
import { POLICY_DECISIONS } from '../../../schema/contracts/instructions.ts';
import { SYSTEM_MODES } from '../../../schema/contracts/system.ts';
import { decideIngest } from '../../../schema/domain/ingest.ts';
import { Coverage } from '../../support/coverage.ts';
import { FREE } from './message.ts';

const call = (decision: PolicyDecision, tool: string, index: number): InstructionInput => ({
  block_index: 0,
  index,
  target: 'conductor',
  tool,
  params: tool === 'exec' ? { argv: ['true'] } : {},
  policy: { decision, rule: 'r' },
});
const tools = fc.constantFrom('exec', 'describe', 'system/pause', 'nonsense');
const calls = fc.array(fc.tuple(fc.constantFrom(...POLICY_DECISIONS), tools), {
  minLength: 1,
  maxLength: 8,
  size: 'max',
});
const gates = fc.record({
  mode: fc.constantFrom(...SYSTEM_MODES, 'running' as const, 'running' as const),
  automation_status: fc.constantFrom(...AUTOMATION_STATUSES),
  busy: fc.constantFrom(false, false, true),
});
const REACHED = ['claimed', 'awaiting_approval', 'waiting', 'blocked', 'denied', 'shadowed'] as const;

it('no ordinary instruction is claimed under a gate, and each open one has its deadline', () => {
  const reached = new Coverage<InstructionState>();
  fc.assert(
    fc.property(calls, gates, (given, more) => {
      const { instructions, ingest_status } = decideIngest(
        {
          capture: { source: 'network', other: 'agrees' },
          role: 'assistant',
          block_errors: [],
          instructions: given.map(([decision, tool], index) => call(decision, tool, index)),
        },
        { ...FREE, recognition: { as: 'new' }, age_ms: 0, max_age_ms: 600_000, now: 1_000, ...more },
      );
      const gated = more.mode === 'paused' || more.automation_status === 'paused' || more.busy;
      for (const one of instructions) {
        reached.reach(one.status);
        const open = ['claimed', 'awaiting_approval', 'waiting'].includes(one.status);
        if (open && !one.control) expect(gated).toBe(false);
        expect(one.claim_expires_at !== null).toBe(one.status === 'claimed');
        expect(one.approval_expires_at !== null).toBe(one.status === 'awaiting_approval');
      }
      const first = instructions.findIndex((one) => one.status === 'awaiting_approval');
      if (first !== -1) {
        expect(instructions.slice(first).every((one) => one.status !== 'claimed')).toBe(true);
        expect(ingest_status).toBe('awaiting_approval');
      }
    }),
    { numRuns: 600 },
  );
  reached.expectEach(REACHED, 20);
});
