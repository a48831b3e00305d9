/** An instruction as a list of the edge has it. */
import type { Instruction } from '../../schema/contracts/instructions.ts';

export function instructionRow(over: Partial<Instruction> = {}): Instruction {
  return {
    instruction_id: 'ins_1',
    message_id: 'msg_1',
    local_conversation_id: 'lc_1',
    controller_id: 'node-1',
    block_index: 0,
    index: 0,
    target: 'conductor',
    tool: 'exec',
    params: {},
    status: 'awaiting_approval',
    policy: { decision: 'ask', rule: 'exec.default' },
    gate: null,
    claim_expires_at: null,
    approval_expires_at: null,
    started_at: null,
    finished_at: null,
    exit_code: null,
    error_code: null,
    duration_ms: null,
    output_summary: null,
    artifact_id: null,
    truncated: false,
    created_at: 1,
    updated_at: 1,
    unreadable: [],
    ...over,
  };
}
