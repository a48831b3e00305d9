import { describe, expect, it } from 'vitest';
import type { InstructionInput, PolicyDecision } from '../../../schema/contracts/instructions.ts';
import type { IngestFacts, StoredObservation } from '../../../schema/domain/ingest.ts';
import { countExecuted, decideIngest, dedupeText, identityOf, recognize } from '../../../schema/domain/ingest.ts';

const facts: IngestFacts = {
  recognition: { as: 'new' },
  mode: 'running',
  automation_status: 'manual',
  busy: false,
  age_ms: 0,
  max_age_ms: 600_000,
  now: 1_000,
};
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

describe('the ingest status, in the order in which it is decided, is', () => {
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
    ['awaiting_approval', body(call('allow'), call('ask')), {}],
    ['accepted', usual, {}],
    ['executed', body(call('shadow')), {}],
  ])('%s', (status, arrived, more) => {
    expect(decideIngest(arrived, { ...facts, ...more }).ingest_status).toBe(status);
  });
});

describe('instructions at insert', () => {
  const decide = (more: Partial<IngestFacts>, ...calls: InstructionInput[]) =>
    decideIngest(body(...calls), { ...facts, ...more }).instructions.map((one) => one.status);

  it('a control instruction passes every gate; the ordinary ones of its message do not', () => {
    const calls = [call('allow'), call('control', 'system/resume', 1), call('deny', 'exec', 2)];
    for (const gate of [{ mode: 'paused' }, { automation_status: 'paused' }, { busy: true }] as const) {
      expect(decide(gate, ...calls)).toEqual(['blocked', 'claimed', 'denied']);
    }
  });

  it('the tool table decides which are control instructions, not the node', () => {
    expect(decide({ mode: 'paused' }, call('allow', 'system/resume'))).toEqual(['claimed']);
    expect(decide({ mode: 'paused' }, call('control'))).toEqual(['denied']);
  });
});

describe('the same message', () => {
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
  ])('is recognized by %s', (_name, before, assistant_message_id, text_hash, as) => {
    expect(recognize(before, { assistant_message_id, text_hash }).as).toBe(as);
  });

  it('is counted for each message of its text that ran', () => {
    const ran = stored('a', 'x');
    expect(countExecuted([ran, { ...ran, ingest_status: 'system_paused' }, stored('c', 'y')], 'x')).toBe(1);
  });

  it('gives an instruction the same key for any order of its parameters', () => {
    const message = { platform: 'chatgpt', remote_conversation_id: 'c', identity: 'id:1' };
    const one = { ...call('allow'), params: { a: 1, b: { c: 2, d: 3 } } };
    const two = { ...call('ask'), params: { b: { d: 3, c: 2 }, a: 1 } };
    expect(dedupeText(message, one)).toBe(dedupeText(message, two));
    expect(dedupeText(message, { ...one, index: 1 })).not.toBe(dedupeText(message, one));
  });
});
