import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { InstructionInput, PolicyDecision } from '../../../schema/contracts/instructions.ts';
import { APPROVALS, INSTRUCTION } from '../../../schema/defaults.ts';
import type { ConversationChange, StoredConversation } from '../../../schema/domain/conversation.ts';
import { changeConversation, needsPerson, newConversation, toChange } from '../../../schema/domain/conversation.ts';
import type { IngestFacts } from '../../../schema/domain/ingest.ts';
import { decideIngest } from '../../../schema/domain/ingest.ts';
import { decideMode, NEW_SYSTEM } from '../../../schema/domain/mode.ts';
import { NEW_MESSAGE } from './message.ts';

const fresh = newConversation(
  { local_conversation_id: 'lc_1', platform: 'claude', remote_conversation_id: 'r', title: null },
  0,
);
const stateAfter = (...changes: ConversationChange[]): StoredConversation =>
  changes.reduce((state, change, n) => changeConversation(state, change, n + 1), fresh);
const PERSON_PAUSES: ConversationChange = { type: 'pause', reason: 'user_pause' };
const person = (status: 'manual' | 'auto'): ConversationChange => ({ type: 'set', status, by: 'person' });
const chat = (status: 'manual' | 'auto' | 'paused') => toChange(status, 'ai_pause');

function call(tool: string, params: Record<string, unknown> = {}, decision: PolicyDecision = 'allow', index = 0) {
  const policy = { decision, rule: 'r' };
  return { block_index: 0, index, target: 'conductor', tool, params, policy } satisfies InstructionInput;
}
function decide(more: Partial<IngestFacts>, ...instructions: InstructionInput[]) {
  const capture = { source: 'network', other: 'agrees' } as const;
  const body = { capture, role: 'assistant' as const, block_errors: [], instructions };
  return decideIngest(body, { ...NEW_MESSAGE, ...more }).instructions.map(({ status, gate, policy }) => ({
    status,
    gate,
    decision: policy.decision,
  }));
}

describe('a pause of the system with hold', () => {
  const held = decideMode(NEW_SYSTEM, { mode: 'paused', requested_by: 'ops', reason: null, hold: true }, 1).next;
  const change = { requested_by: 'chat', reason: null } as const;

  it.each(['running', 'draining'] as const)('does not become %s by a chat, only by a person', (mode) => {
    expect(decideMode(held, { ...change, mode }, 2)).toEqual({ status: 'held', next: held });
    expect(decideMode(held, { ...change, mode, by_person: true }, 2).next).toMatchObject({
      mode,
      hold: false,
      version: 2,
    });
  });

  it('keeps its hold when it is paused again without one', () => {
    expect(decideMode(held, { ...change, mode: 'paused' }, 2)).toEqual({ status: 'unchanged', next: held });
  });

  it('begins on a pause that had none, with a new version', () => {
    const paused = decideMode(NEW_SYSTEM, { ...change, mode: 'paused' }, 1).next;
    const { next, status } = decideMode(paused, { ...change, mode: 'paused', hold: true }, 2);
    expect({ next, status }).toMatchObject({ status: 'applied', next: { hold: true, version: 2, since: 1 } });
  });

  it('is not begun by a request for another mode', () => {
    expect(decideMode(NEW_SYSTEM, { ...change, mode: 'draining', hold: true }, 1).next.hold).toBe(false);
  });

  it.each(['system/resume', 'system/drain'])('makes %s of a chat ask a person although the host allows it', (tool) => {
    const asked = [{ status: 'awaiting_approval', gate: null, decision: 'ask' }];
    for (const decision of ['allow', 'control'] as const) {
      expect(decide({ mode: 'paused', hold: true }, call(tool, {}, decision))).toEqual(asked);
    }
  });

  it('leaves a chat the other control instructions, and a denial by the host stays one', () => {
    expect(decide({ mode: 'paused', hold: true }, call('system/pause'))).toMatchObject([{ status: 'claimed' }]);
    expect(decide({ mode: 'paused', hold: true }, call('system/resume', {}, 'deny'))).toMatchObject([
      { status: 'denied' },
    ]);
  });

  it('is not needed for a chat to resume: a pause without hold is ended by a chat', () => {
    expect(decide({ mode: 'paused' }, call('system/resume'))).toMatchObject([{ status: 'claimed' }]);
  });
});

describe('the automation of a conversation that a person has stopped', () => {
  it.each<[string, StoredConversation, 'manual' | 'auto', boolean]>([
    ['a status that was never set', fresh, 'auto', false],
    ['manual that a person has set', stateAfter(person('manual')), 'auto', true],
    ['manual that a person has set, when a chat sets it again', stateAfter(person('manual')), 'manual', false],
    ['a pause by a person', stateAfter(person('auto'), PERSON_PAUSES), 'auto', true],
    ['a pause by a person, to manual', stateAfter(person('auto'), PERSON_PAUSES), 'manual', true],
    [
      'auto that a person has set, after a pause by the breaker',
      stateAfter(person('auto'), { type: 'pause', reason: 'no_progress' }),
      'auto',
      false,
    ],
    [
      'a pause by a person on top of one by the breaker',
      stateAfter({ type: 'pause', reason: 'no_progress' }, PERSON_PAUSES),
      'auto',
      true,
    ],
    ['manual that the chat itself has set', stateAfter(person('auto'), chat('manual')), 'auto', false],
    ['manual by a person, behind a pause by the chat', stateAfter(person('manual'), chat('paused')), 'auto', true],
    [
      'manual by a person, that the chat has paused and set again',
      stateAfter(person('manual'), chat('paused'), chat('manual')),
      'auto',
      true,
    ],
  ])('%s: whether only a person may start it again', (_name, state, to, expected) => {
    expect(needsPerson(state, to)).toBe(expected);
    const more = { automation_status: state.automation_status, conversation: state };
    const [decided] = decide(more, call('conversation/mode', { scope: 'current', mode: to }));
    expect(decided?.status).toBe(expected ? 'awaiting_approval' : 'claimed');
  });

  it('may always be paused by its chat', () => {
    expect(needsPerson(stateAfter(person('auto'), PERSON_PAUSES), 'paused')).toBe(false);
    expect(needsPerson(stateAfter(person('manual')), 'paused')).toBe(false);
  });

  it('never becomes auto by a chat alone, in any order in which chat, breaker and person act', () => {
    const byChat = fc.constantFrom('manual' as const, 'auto' as const, 'paused' as const);
    const act = fc.oneof(
      byChat.map((status) => ({ who: 'chat' as const, status })),
      fc.constant({ who: 'breaker' as const, status: 'paused' as const }),
    );
    const stops = fc.constantFrom<ConversationChange[]>(
      [person('manual')],
      [person('auto'), PERSON_PAUSES],
      [PERSON_PAUSES],
    );
    fc.assert(
      fc.property(stops, fc.array(act, { maxLength: 12, size: 'max' }), (stop, acts) => {
        let state = stateAfter(...stop);
        for (const { who, status } of acts) {
          if (who === 'breaker') state = changeConversation(state, { type: 'pause', reason: 'execution_failure' }, 9);
          else if (!needsPerson(state, status)) state = changeConversation(state, chat(status), 9);
          expect(state.automation_status).not.toBe('auto');
        }
      }),
    );
  });
});

describe('what the tool table at the edge says of a tool', () => {
  it('a tool that the table does not have is denied, also when the node allows it', () => {
    for (const decision of ['allow', 'control', 'ask'] as const) {
      expect(decide({}, call('system/erase', {}, decision))).toEqual([
        { status: 'denied', gate: 'unknown_tool', decision },
      ]);
    }
  });

  it('params that its contract does not take are denied', () => {
    const mode = call('conversation/mode', { scope: 'all', mode: 'auto' });
    expect(decide({}, mode)).toMatchObject([{ status: 'denied', gate: 'invalid_params' }]);
  });
});

describe('a person who is asked', () => {
  const asks = (count: number) =>
    Array.from({ length: count }, (_, index) => call('exec', { argv: ['true'] }, 'ask', index));
  const waitingWith = (waiting: IngestFacts['waiting']) =>
    decide({ waiting }, ...asks(INSTRUCTION.max_per_message)).map(({ status, gate }) => gate ?? status);

  it('can be asked for every instruction of the largest message, one after the other', () => {
    const [first, ...rest] = waitingWith({ conversation: 0, node: 0 });
    expect(first).toBe('awaiting_approval');
    expect(new Set(rest)).toEqual(new Set(['waiting']));
  });

  it.each([
    ['conversation', { conversation: APPROVALS.max_per_conversation - 2, node: 0 }],
    ['node', { conversation: 0, node: APPROVALS.max_per_node - 2 }],
  ])('is asked for no more than the limit of one %s: the rest is denied with the reason', (_name, waiting) => {
    const [first, second, third, ...rest] = waitingWith(waiting);
    expect([first, second, third]).toEqual(['awaiting_approval', 'waiting', 'too_many_approvals']);
    expect(new Set(rest)).toEqual(new Set(['too_many_approvals']));
  });
});
