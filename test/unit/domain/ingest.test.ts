import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { AUTOMATION_STATUSES } from '../../../schema/contracts/conversations.ts';
import type { InstructionInput, PolicyDecision } from '../../../schema/contracts/instructions.ts';
import { INGEST_STATUSES, POLICY_DECISIONS } from '../../../schema/contracts/instructions.ts';
import { SYSTEM_MODES } from '../../../schema/contracts/system.ts';
import type { IngestFacts, StoredObservation } from '../../../schema/domain/ingest.ts';
import { countExecuted, decideIngest, dedupeText, identityOf, recognize } from '../../../schema/domain/ingest.ts';
import { isOpenStatus } from '../../../schema/domain/instruction-machine.ts';
import { isOpenMessage } from '../../../schema/domain/message-machine.ts';
import { NEW_MESSAGE } from './message.ts';

const call = (decision: PolicyDecision, tool = 'exec', index = 0): InstructionInput => ({
  block_index: 0,
  index,
  target: 'conductor',
  tool,
  params: tool === 'exec' ? { argv: ['true'] } : {},
  policy: { decision, rule: 'r' },
});
const body = (...instructions: InstructionInput[]) => ({
  capture: { source: 'network', other: 'agrees' } as const,
  role: 'assistant' as const,
  block_errors: [],
  instructions,
});
const broken = { block_index: 0, stage: 'parse', code: 'c', message: 'm', line: 1 } as const;

describe('the ingest status, in the order of the decision', () => {
  const everything = { mode: 'paused', automation_status: 'paused', busy: true, age_ms: 600_001 } as const;
  const known = { as: 'same_identity', message_id: 'msg_1' } as const;
  const denied = body(call('deny'));
  const usual = body(call('allow'));

  it.each([
    [
      'capture_mismatch',
      { ...denied, capture: { source: 'dom', other: 'differs' } as const },
      { ...everything, recognition: known },
    ],
    ['ignored_no_instructions', body(), everything],
    ['ignored_no_instructions', { ...usual, role: 'user' as const }, everything],
    ['parse_error_only', { ...body(), block_errors: [broken] }, everything],
    ['duplicate_message', denied, { ...everything, recognition: known }],
    ['expired', denied, everything],
    ['denied_only', denied, { ...everything, age_ms: 600_000 }],
    ['system_paused', usual, { ...everything, age_ms: 0 }],
    ['automation_paused', usual, { ...everything, age_ms: 0, mode: 'running' as const }],
    ['automation_busy', usual, { busy: true }],
    ['duplicate_only', usual, { recognition: { as: 'same_text', message_id: 'msg_1' } as const }],
    ['awaiting_approval', body(call('ask'), call('allow')), {}],
    ['accepted', usual, {}],
    ['executed', body(call('shadow')), {}],
  ])('the status %s comes before the ones below it', (status, arrived, more) => {
    expect(decideIngest(arrived, { ...NEW_MESSAGE, ...more }).ingest_status).toBe(status);
  });
});

describe('an instruction that asks a person', () => {
  const decide = (...decisions: PolicyDecision[]) =>
    decideIngest(body(...decisions.map((one, n) => call(one, 'exec', n))), NEW_MESSAGE).instructions.map(
      (one) => one.status,
    );

  it.each<[PolicyDecision[], string[]]>([
    [['ask'], ['awaiting_approval']],
    [
      ['deny', 'shadow', 'ask'],
      ['denied', 'shadowed', 'awaiting_approval'],
    ],
    [
      ['allow', 'ask'],
      ['claimed', 'waiting'],
    ],
    [
      ['ask', 'ask', 'allow'],
      ['awaiting_approval', 'waiting', 'waiting'],
    ],
    [
      ['allow', 'allow', 'ask', 'allow'],
      ['claimed', 'claimed', 'waiting', 'waiting'],
    ],
  ])('asks at once only when nothing before it is open: %j becomes %j', (decisions, statuses) => {
    expect(decide(...decisions)).toEqual(statuses);
  });
});

describe('the instructions of a new message', () => {
  const decide = (more: Partial<IngestFacts>, ...calls: InstructionInput[]) =>
    decideIngest(body(...calls), { ...NEW_MESSAGE, ...more }).instructions.map((one) => one.status);

  it('a control instruction passes every gate, and the ordinary ones beside it are blocked', () => {
    const calls = [call('allow'), call('control', 'system/resume', 1), call('deny', 'exec', 2)];
    for (const gate of [{ mode: 'paused' }, { automation_status: 'paused' }, { busy: true }] as const) {
      expect(decide(gate, ...calls)).toEqual(['blocked', 'claimed', 'denied']);
    }
  });

  it('the tool table decides what a control instruction is, not the node', () => {
    expect(decide({ mode: 'paused' }, call('allow', 'system/resume'))).toEqual(['claimed']);
    expect(decide({ mode: 'paused' }, call('control'))).toEqual(['denied']);
  });

  it('no ordinary instruction is claimed under a gate, and every claim and approval has a deadline', () => {
    const tools = fc.constantFrom('exec', 'describe', 'system/pause', 'nonsense');
    const calls = fc.array(fc.tuple(fc.constantFrom(...POLICY_DECISIONS), tools), { minLength: 1, maxLength: 8 });
    const around = fc.record({
      mode: fc.constantFrom(...SYSTEM_MODES),
      automation_status: fc.constantFrom(...AUTOMATION_STATUSES),
      busy: fc.boolean(),
    });
    fc.assert(
      fc.property(calls, around, (given, more) => {
        const inputs = given.map(([decision, tool], index) => call(decision, tool, index));
        const { instructions, ingest_status } = decideIngest(body(...inputs), { ...NEW_MESSAGE, ...more });
        const gated = more.mode === 'paused' || more.automation_status === 'paused' || more.busy;
        for (const one of instructions) {
          const open = ['claimed', 'awaiting_approval'].includes(one.status);
          if (open && !one.control) expect(gated).toBe(false);
          expect(one.claim_expires_at !== null).toBe(one.status === 'claimed');
          expect(one.approval_expires_at !== null).toBe(one.status === 'awaiting_approval');
        }
        expect(isOpenMessage(ingest_status)).toBe(instructions.some((one) => isOpenStatus(one.status)));
        const first = instructions.findIndex((one) => one.status === 'awaiting_approval');
        if (first !== -1) {
          expect(instructions.slice(first).every((one) => one.status !== 'claimed')).toBe(true);
          expect(ingest_status).toBe('awaiting_approval');
        }
      }),
    );
  });
});

describe('the recognition of a message', () => {
  const stored = (id: string | null, text_hash: string): StoredObservation => ({
    message_id: `msg_${id}`,
    identity: identityOf(id, text_hash),
    assistant_message_id: id,
    text_hash,
    ingest_status: 'executed',
  });

  it.each([
    ['the same id', [stored('a', 'x')], 'a', 'y', 'same_identity'],
    ['no id on either side and one text', [stored(null, 'x')], null, 'x', 'same_identity'],
    ['an id now, none then, one text', [stored(null, 'x')], 'a', 'x', 'same_text'],
    ['no id now, one then, one text', [stored('a', 'x')], null, 'x', 'same_text'],
    ['two ids, one text', [stored('a', 'x')], 'b', 'x', 'new'],
    ['another text', [stored(null, 'x')], null, 'y', 'new'],
  ])('a message with %s is recognized accordingly', (_name, before, assistant_message_id, text_hash, as) => {
    expect(recognize(before, { assistant_message_id, text_hash }).as).toBe(as);
  });

  it('counts the messages with its text that have run or are running', () => {
    const same = INGEST_STATUSES.map((ingest_status) => ({ ...stored('a', 'x'), ingest_status }));
    const counted = same.filter((one) => countExecuted([one], 'x') === 1).map((one) => one.ingest_status);
    expect(counted).toEqual(['accepted', 'executed', 'failed']);
    expect(countExecuted([...same, stored('c', 'y')], 'x')).toBe(3);
  });

  it('the key of an instruction does not depend on the order of its parameters', () => {
    const message = { platform: 'chatgpt', remote_conversation_id: 'c', identity: 'id:1' };
    const one = { ...call('allow'), params: { a: 1, b: { c: 2, d: 3 } } };
    const two = { ...call('ask'), params: { b: { d: 3, c: 2 }, a: 1 } };
    expect(dedupeText(message, one)).toBe(dedupeText(message, two));
    expect(dedupeText(message, { ...one, index: 1 })).not.toBe(dedupeText(message, one));
  });
});
