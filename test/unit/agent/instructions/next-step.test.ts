import { describe, expect, it } from 'vitest';
import type { ExecutionRow } from '../../../../local-agent/instructions/execution-store.ts';
import type { Progress } from '../../../../local-agent/instructions/next-step.ts';
import { nextStep, phaseOf } from '../../../../local-agent/instructions/next-step.ts';

function row(with_: Partial<ExecutionRow> = {}): ExecutionRow {
  return {
    instruction_id: 'ins_0',
    message_id: 'msg_1',
    idx: 0,
    name: 'conductor::status',
    params: {},
    status: 'claimed',
    gate: null,
    claim_until: 100,
    started_at: null,
    finished_at: null,
    result: null,
    artifact_url: null,
    approved_hash: null,
    is_remote: false,
    process: null,
    ...with_,
  };
}

const RESULT = {
  status: 'succeeded',
  output: '',
  exit_code: null,
  error_code: null,
  duration_ms: 1,
  truncated: false,
} as const;
const READY = row();
const WAITING = row({ status: 'awaiting_approval' });
const STARTED = row({ status: 'running', started_at: 1 });
const FINISHED = row({ status: 'running', started_at: 1, result: RESULT });
const ENDED = row({ status: 'succeeded', started_at: 1, result: RESULT });

function decide(executions: ExecutionRow[], with_: Partial<Progress> = {}) {
  return nextStep({ message: { state: 'executing' }, executions, isStopping: false, now: 50, ...with_ });
}

describe('the phase of an execution', () => {
  it.each([
    ['waiting', WAITING],
    ['waiting', row({ status: 'waiting' })],
    ['ready', READY],
    ['started', STARTED],
    ['finished', FINISHED],
    ['finished', row({ result: RESULT })],
    ['ended', ENDED],
    ['ended', row({ status: 'blocked' })],
  ] as const)('it is %s', (phase, execution) => {
    expect(phaseOf(execution)).toBe(phase);
  });
});

describe('the next step of a message', () => {
  it('the first instruction that has not ended is executed', () => {
    const second = row({ instruction_id: 'ins_1', idx: 1 });
    expect(decide([READY, second])).toEqual({ type: 'execute', execution: READY });
    expect(decide([ENDED, second])).toEqual({ type: 'execute', execution: second });
  });

  it('nothing starts while an earlier instruction waits, runs or has a result without a response', () => {
    for (const first of [WAITING, STARTED, FINISHED]) expect(decide([first, READY])).toEqual({ type: 'wait' });
  });

  it('an instruction whose claim has expired is given up', () => {
    expect(decide([READY], { now: 99 }).type).toBe('execute');
    expect(decide([READY], { now: 100 })).toEqual({ type: 'give_up', execution: READY });
    expect(decide([row({ claim_until: null })], { now: 1_000_000 }).type).toBe('execute');
  });

  it('the reply is due when all instructions have ended, or there is none', () => {
    expect(decide([ENDED, row({ status: 'denied' })])).toEqual({ type: 'reply' });
    expect(decide([])).toEqual({ type: 'reply' });
  });

  it('nothing happens while the agent stops, or after the reply was queued', () => {
    for (const executions of [[READY], [ENDED]]) {
      expect(decide(executions, { isStopping: true })).toEqual({ type: 'wait' });
      expect(decide(executions, { message: { state: 'replying' } })).toEqual({ type: 'wait' });
      expect(decide(executions, { message: { state: 'done' } })).toEqual({ type: 'wait' });
    }
  });
});
