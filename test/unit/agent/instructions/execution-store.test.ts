import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { RecentActivity } from '../../../../local-agent/browsers/recent-activity.ts';
import { ExecutionStore } from '../../../../local-agent/instructions/execution-store.ts';
import type { InstructionResult } from '../../../../local-agent/tools/tool.ts';
import { block, finalMessage, InstructionHost } from './instruction-host.ts';

const RESULT: InstructionResult = {
  status: 'succeeded',
  output: 'done',
  exit_code: null,
  error_code: null,
  duration_ms: 1,
  truncated: false,
};
const BLOCKED = { status: 'blocked', gate: 'system_paused', claim_expires_in_ms: null } as const;

let agent: InstructionHost;
let executions: ExecutionStore;
beforeEach(async () => {
  agent = new InstructionHost();
  // A stopped agent starts nothing, so that each test has the execution to itself.
  await agent.instructions.stop();
  agent.instructions.onFinalMessage(finalMessage(block('@conductor::status', '@conductor::status')), 0);
  agent.accept({ 1: { status: 'awaiting_approval' } });
  executions = new ExecutionStore(agent.store.db);
});
afterEach(async () => agent.close());

describe('an execution', () => {
  it('the started mark of an execution can be set once', () => {
    expect([executions.start('ins_0', 1), executions.start('ins_0', 2)]).toEqual([true, false]);
    expect(executions.execution('ins_0')?.started_at).toBe(1);
  });

  it('an execution takes the status at the edge over while it has not started', () => {
    executions.setStatus('ins_0', BLOCKED, 1_000);
    expect(executions.execution('ins_0')).toMatchObject({
      status: 'blocked',
      gate: 'system_paused',
      claim_until: null,
    });
    executions.setStatus('ins_0', { status: 'claimed', gate: null, claim_expires_in_ms: 500 }, 1_000);
    expect(executions.execution('ins_0')).toMatchObject({ status: 'claimed', gate: null, claim_until: 1_500 });
  });

  it('an execution that has started ignores the status at the edge', () => {
    executions.start('ins_0', 1);
    executions.setStatus('ins_0', BLOCKED, 1_000);
    expect(executions.execution('ins_0')).toMatchObject({ status: 'running', gate: null });
  });

  it('an execution that has a result ignores the status at the edge', () => {
    executions.setResult('ins_0', RESULT, 1);
    executions.setStatus('ins_0', BLOCKED, 1_000);
    expect(executions.execution('ins_0')).toMatchObject({ status: 'claimed', gate: null, result: RESULT });
  });

  it('an approval is stored only while its instruction waits for one', () => {
    const hash = 'a'.repeat(64);
    expect(executions.approve('ins_0', hash, 5)).toBe(false);
    expect(executions.execution('ins_0')?.approved_hash).toBeNull();
    expect(executions.approve('ins_1', hash, 5)).toBe(true);
    expect(executions.execution('ins_1')).toMatchObject({ status: 'claimed', approved_hash: hash, claim_until: 5 });
    expect(executions.approve('ins_1', 'b'.repeat(64), 5)).toBe(false);
    expect(executions.execution('ins_1')?.approved_hash).toBe(hash);
  });

  it('an execution that a person denied is among the newest ones of its browser', () => {
    const denied = { status: 'denied', gate: 'denied_by_a_person', claim_expires_in_ms: null } as const;
    executions.setStatus('ins_1', denied, 7);
    const { client_id } = finalMessage('');
    expect(new RecentActivity(agent.store.db, 5).read(client_id).executes).toMatchObject([
      { instruction_id: 'ins_1', status: 'denied', duration_ms: null, at: 7 },
    ]);
  });
});
