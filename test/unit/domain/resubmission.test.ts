import { describe, expect, it } from 'vitest';
import { decideResubmission } from '../../../schema/domain/resubmission.ts';
import { FREE, statusesOf, stoppedMessage, verdicts } from './message.ts';

const facts = { ...FREE, mode: 'running', automation_status: 'auto', busy: false, now: 1_000 } as const;

describe('a stopped message that the host judges again is', () => {
  it.each([
    ['allowed', ['allow', 'allow'], ['claimed', 'claimed'], 'accepted'],
    ['asked about', ['ask', 'allow'], ['awaiting_approval', 'waiting'], 'awaiting_approval'],
    ['denied', ['deny', 'deny'], ['denied', 'denied'], 'denied_only'],
    ['recorded only (shadow mode)', ['shadow', 'shadow'], ['shadowed', 'shadowed'], 'executed'],
    ['allowed in part', ['allow', null], ['claimed', 'blocked'], 'accepted'],
    ['not judged again', [null, null], ['blocked', 'blocked'], 'system_paused'],
  ] as const)('%s', (_name, decisions, expected, message) => {
    const decided = decideResubmission(stoppedMessage(['blocked', 'blocked']), verdicts(...decisions), facts);
    expect(statusesOf(decided.statuses)).toEqual(expected);
    expect(decided.message).toBe(message);
  });

  it('unchanged under a gate, which it names, unless it is a control instruction', () => {
    const held = decideResubmission(stoppedMessage(['expired']), verdicts('allow'), {
      ...facts,
      automation_status: 'paused',
    });
    expect(held).toMatchObject({
      statuses: [{ status: 'expired', gate: 'automation_paused' }],
      message: 'automation_paused',
    });
    const control = stoppedMessage(['blocked'], 'system/resume');
    const passed = decideResubmission(control, verdicts('control'), { ...facts, mode: 'paused' });
    expect(passed.message).toBe('accepted');
  });

  it('asked about although the host allows it, when it would lift what a person holds', () => {
    const held = { ...facts, mode: 'paused', hold: true } as const;
    const decided = decideResubmission(stoppedMessage(['blocked'], 'system/resume'), verdicts('allow'), held);
    expect(decided.message).toBe('awaiting_approval');
    expect(decided.verdicts.get('ins_0')).toEqual({ decision: 'ask', rule: 'a person holds the system paused' });
  });
});
