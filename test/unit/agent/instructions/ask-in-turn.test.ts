/** An instruction that asks a person behind others of its message: this node describes it when its turn has come. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { takeCommand } from '../../../../local-agent/edge/commands.ts';
import { ExecutionStore } from '../../../../local-agent/instructions/execution-store.ts';
import type { Command } from '../../../../schema/contracts/commands.ts';
import type { Approval } from '../../../../schema/contracts/instructions.ts';
import { INSTRUCTION } from '../../../../schema/defaults.ts';
import { commandHandlers } from '../../../support/command-handlers.ts';
import { block, finalMessage, InstructionHost } from './instruction-host.ts';

let agent: InstructionHost;
afterEach(async () => agent.close());

const WRITE = '@conductor::files/write::{"path": "script.sh", "content": "echo effect >> effects\\n"}';
const RUN = '@conductor::exec::{"argv": ["sh", "script.sh"]}';
const ASKING = { ins_1: { status: 'awaiting_approval' } };
const effects = () =>
  existsSync(join(agent.workspace, 'effects')) && readFileSync(join(agent.workspace, 'effects'), 'utf8');

/** A message that writes a program and then runs it, which asks. */
function accepted(...lines: string[]): void {
  agent = new InstructionHost({ policy: {} });
  agent.instructions.onFinalMessage(finalMessage(block(...lines)), 0);
  agent.accept({ 1: { status: 'waiting' } });
}

/** The approval in the pending request; null when it has none. */
async function described(): Promise<Approval | null> {
  await agent.nextRequest();
  return agent.acceptProgress().find((item) => item.instruction_id === 'ins_1')?.approval ?? null;
}

function approve(approval_hash: string): void {
  const body = {
    instruction_id: 'ins_1',
    decision: 'approved',
    approval_hash,
    claim_expires_in_ms: 60_000,
    released: [],
  };
  const command = { command_id: `cmd_${'1'.padStart(26, '0')}`, expires_in_ms: 60_000, kind: 'approval.decided', body };
  takeCommand(agent.store, commandHandlers(agent.instructions.commands), command as Command, agent.now);
}

/** Accepts reports until the second instruction has ended. */
async function result() {
  for (;;) {
    await agent.nextRequest();
    if (agent.store.outbox.pendingStreams().some((one) => one.startsWith('conv:'))) {
      const ended = agent.acceptProgress().find((item) => item.instruction_id === 'ins_1')?.result;
      if (ended) return ended;
    } else await new Promise<void>((resolve) => void agent.store.outbox.onAppend(() => resolve()));
  }
}

describe('an instruction that asks behind one of its message', () => {
  it('is described with what the one before it has written, and runs after one approval', async () => {
    accepted(WRITE, RUN);
    await agent.nextRequest();
    agent.acceptProgress(ASKING);
    const approval = await described();
    expect(Object.keys(approval?.file_hashes ?? {})).toEqual([join(agent.workspace, 'script.sh')]);
    approve(approval?.approval_hash ?? '');
    expect(await result()).toMatchObject({ status: 'succeeded' });
    expect(effects()).toBe('effect\n');
  });

  it('is reported as started when it runs for long after its approval', async () => {
    accepted(WRITE, '@conductor::exec::{"argv": ["sleep", "600"]}');
    await agent.nextRequest();
    agent.acceptProgress(ASKING);
    const approval = await described();
    approve(approval?.approval_hash ?? '');
    await agent.started('ins_1');
    agent.now += INSTRUCTION.live_interval_ms;
    agent.timers.advance(INSTRUCTION.live_interval_ms);
    const requests = agent.store.outbox.pendingStreams().flatMap((stream) => agent.store.outbox.head(stream) ?? []);
    const body: unknown = JSON.parse(requests.find(({ kind }) => kind === 'progress')?.body ?? 'null');
    expect(body).toMatchObject({ items: [{ instruction_id: 'ins_1', started: true }] });
  });

  it('is not described with the message, and the first of a message is', async () => {
    agent = new InstructionHost({ policy: {} });
    agent.instructions.onFinalMessage(finalMessage(block(WRITE, RUN)), 0);
    expect(agent.accept({ 1: { status: 'waiting' } }).instructions.map((one) => one.approval)).toEqual([
      undefined,
      undefined,
    ]);
    await agent.close();
    agent = new InstructionHost({ policy: {} });
    agent.instructions.onFinalMessage(finalMessage(block(RUN, RUN)), 0);
    const { instructions } = agent.accept({ 0: { status: 'awaiting_approval' }, 1: { status: 'waiting' } });
    expect(instructions.map((one) => one.approval !== undefined)).toEqual([true, false]);
  });

  it('is void when another tool of this host writes after it was described', async () => {
    accepted(WRITE, RUN);
    await agent.nextRequest();
    agent.acceptProgress(ASKING);
    const approval = await described();
    agent.store.db.exec(
      `INSERT INTO executions (instruction_id, message_id, idx, name, params, status, started_at, result, ended_seq)
       VALUES ('ins_other', 'msg_other', 0, 'conductor::files/write', '{"path":"b","content":""}', 'succeeded', 1,
         '{"status":"succeeded","output":"","duration_ms":1,"truncated":false}', 99)`,
    );
    approve(approval?.approval_hash ?? '');
    expect(await result()).toMatchObject({ status: 'denied', error_code: 'approval_drifted' });
    expect(effects()).toBe(false);
  });

  it.each(['before', 'after'])(
    'is described once when the agent is killed %s its description is stored',
    async (at) => {
      accepted(WRITE, RUN);
      await agent.nextRequest();
      if (at === 'after') {
        agent.acceptProgress(ASKING);
        await agent.nextRequest();
      } else {
        // The response is handled; the process ends before the description.
        await agent.instructions.stop();
        agent.acceptProgress(ASKING);
      }
      agent.kill();
      agent.boot();
      agent.instructions.recover();
      const approval = await described();
      expect(approval).not.toBeNull();
      approve(approval?.approval_hash ?? '');
      expect(await result()).toMatchObject({ status: 'succeeded' });
      expect(effects()).toBe('effect\n');
    },
  );

  it('is asked about when the edge reports that the one before it was canceled', async () => {
    agent = new InstructionHost({ policy: {} });
    agent.gate = 'paused';
    writeFileSync(join(agent.workspace, 'script.sh'), 'true\n');
    agent.instructions.onFinalMessage(finalMessage(block(WRITE, RUN)), 0);
    agent.accept({ 1: { status: 'waiting' } });
    await agent.nextRequest();
    // This response was made before the cancellation.
    agent.instructions.observe([
      { instruction_id: 'ins_0', status: 'canceled', gate: null },
      { instruction_id: 'ins_1', status: 'awaiting_approval', gate: null },
    ]);
    agent.acceptProgress({ ins_0: { status: 'canceled' } });
    await agent.nextRequest();
    agent.acceptProgress(ASKING);
    expect(await described()).not.toBeNull();
  });

  it('takes an approval that arrives before the response which says that it waits for one', async () => {
    accepted('@conductor::files/read::{"path": "script.sh"}', '@browser.chatgpt::send::{"prompt": "x"}');
    const executions = new ExecutionStore(agent.store.db);
    const hash = 'a'.repeat(64);
    expect(executions.approve('ins_1', hash, 5)).toBe(true);
    executions.setStatus('ins_1', { status: 'awaiting_approval', gate: null, claim_expires_in_ms: null }, 1);
    expect(executions.execution('ins_1')).toMatchObject({ status: 'claimed', approved_hash: hash });
  });
});
