/** Decisions of people while an instruction waits or runs: approvals, cancels, resubmissions. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { takeCommand } from '../../../../local-agent/edge/commands.ts';
import type { Command } from '../../../../schema/contracts/commands.ts';
import { commandHandlers } from '../../../support/command-handlers.ts';
import type { HostOptions } from './instruction-host.ts';
import { block, finalMessage, InstructionHost, NODE_ID } from './instruction-host.ts';

let agent: InstructionHost;
afterEach(async () => agent.close());

let commands = 0;
/** The edge sends a command. Its result is in the outbox. */
function sendCommand(sent: Pick<Command, 'kind' | 'body'>): void {
  commands += 1;
  const command_id = `cmd_${String(commands).padStart(26, '0')}`;
  const command = { command_id, expires_in_ms: 60_000, ...sent } as Command;
  takeCommand(agent.store, commandHandlers(agent.instructions.commands), command, agent.now);
}

function commandResults(): unknown[] {
  return agent.store.db
    .prepare("SELECT body FROM outbox WHERE kind = 'command_result' ORDER BY id")
    .all()
    .map((row) => JSON.parse(String(row.body)).result);
}

const CALL = { argv: ['sh', 'script.sh'] };
const script = () => join(agent.workspace, 'script.sh');
const effects = () =>
  existsSync(join(agent.workspace, 'effects')) && readFileSync(join(agent.workspace, 'effects'), 'utf8');

/** Observes a message whose only instruction waits for a person. Returns the hash to approve. */
function awaitApproval(options: HostOptions = { policy: {} }): string {
  agent = new InstructionHost(options);
  writeFileSync(script(), 'echo effect >> effects\n');
  agent.instructions.onFinalMessage(finalMessage(block(`@conductor::exec::${JSON.stringify(CALL)}`)), 0);
  const body = agent.accept({ 0: { status: 'awaiting_approval' } }, 'awaiting_approval');
  return body.instructions[0]?.approval?.approval_hash ?? '';
}

function approve(approval_hash: string, decision: 'approved' | 'denied' | 'expired' = 'approved'): void {
  const claim_expires_in_ms = decision === 'approved' ? 60_000 : null;
  const body = { instruction_id: 'ins_0', decision, approval_hash, claim_expires_in_ms, released: [] };
  sendCommand({ kind: 'approval.decided', body });
}

/** The edge accepts the reports on an instruction. Resolves with its result. */
async function resultOf(id = 'ins_0', rest: object[] = []) {
  for (;;) {
    await agent.nextRequest();
    const stream = agent.store.outbox.pendingStreams().find((one) => one.startsWith('conv:')) ?? '';
    const row = agent.store.outbox.head(stream);
    if (row?.kind === 'started') agent.acceptStarted(id, stream);
    else if (row?.kind === 'result') return agent.acceptResult(id, rest, stream);
    else await new Promise<void>((resolve) => void agent.store.outbox.onAppend(() => resolve()));
  }
}

describe('an instruction that waits for approval', () => {
  it('it runs when it is approved, and the decision is reported as noted', async () => {
    const hash = awaitApproval();
    expect(effects()).toBe(false);
    approve(hash);
    expect(await resultOf()).toMatchObject({ status: 'succeeded' });
    expect(effects()).toBe('effect\n');
    expect(await agent.reply()).toContain('ok');
    expect(commandResults()).toEqual([{ outcome: 'noted' }]);
  });

  it('it is denied when a file that it names has changed since the approval', async () => {
    const hash = awaitApproval();
    writeFileSync(script(), 'echo other >> effects\n');
    approve(hash);
    expect(await resultOf()).toMatchObject({ status: 'denied', error_code: 'approval_drifted' });
    expect(effects()).toBe(false);
  });

  it('it is denied when the approval was for another call', async () => {
    awaitApproval();
    approve('f'.repeat(64));
    expect(await resultOf()).toMatchObject({ status: 'denied', error_code: 'approval_drifted' });
    expect(effects()).toBe(false);
  });

  it('it is denied when the policy forbids it by then', async () => {
    const hash = awaitApproval();
    agent.writePolicy({ exec: { default: 'deny' } });
    approve(hash);
    const result = await resultOf();
    expect(result).toMatchObject({ status: 'denied', error_code: 'denied_by_policy' });
    expect(result.output).toContain('exec.default');
    expect(effects()).toBe(false);
  });

  it('it runs after a restart between the approval and the effect', async () => {
    const hash = awaitApproval();
    approve(hash);
    agent.kill();
    agent.boot();
    agent.instructions.recover();
    expect(await resultOf()).toMatchObject({ status: 'succeeded' });
    expect(effects()).toBe('effect\n');
  });

  it.each(['denied', 'expired'] as const)('it does not run when the approval is %s', async (decision) => {
    const hash = awaitApproval();
    approve(hash, decision);
    expect(await agent.reply()).toContain(decision === 'denied' ? 'denied_by_a_person' : 'approval_expired');
    approve(hash);
    expect(effects()).toBe(false);
  });

  it('the instructions behind it run after it, in order', async () => {
    agent = new InstructionHost({ policy: {} });
    const write = '@conductor::files/write::{"path": "after", "content": "x"}';
    agent.instructions.onFinalMessage(finalMessage(block('@conductor::exec::{"argv": ["true"]}', write)), 0);
    const body = agent.accept({ 0: { status: 'awaiting_approval' }, 1: { status: 'waiting' } }, 'awaiting_approval');
    approve(body.instructions[0]?.approval?.approval_hash ?? '');
    const after = join(agent.workspace, 'after');
    const next = { instruction_id: 'ins_1', index: 1, status: 'claimed', claim_expires_in_ms: 60_000, gate: null };
    await resultOf('ins_0', [next]);
    expect(existsSync(after)).toBe(false);
    await resultOf('ins_1');
    expect(existsSync(after)).toBe(true);
    expect(await agent.reply()).toMatch(/1\\\. .*ok[\s\S]*2\\\. .*ok/);
    expect(agent.replies).toHaveLength(1);
  });
});

describe('a canceled instruction', () => {
  const startProgram = async () => {
    agent = new InstructionHost({ policy: { exec: { shell: 'allow' } } });
    agent.instructions.onFinalMessage(finalMessage(block('@conductor::exec::echo started; sleep 600')), 0);
    agent.accept();
    await agent.nextRequest();
    agent.acceptStarted('ins_0');
  };

  it('its program is stopped, and the command reports whether it was running, ended or unknown', async () => {
    await startProgram();
    sendCommand({ kind: 'instruction.cancel', body: { instruction_id: 'ins_0' } });
    expect(await resultOf()).toMatchObject({ status: 'canceled', error_code: 'canceled' });
    expect(await agent.reply()).toContain('canceled');
    sendCommand({ kind: 'instruction.cancel', body: { instruction_id: 'ins_0' } });
    sendCommand({ kind: 'instruction.cancel', body: { instruction_id: 'ins_9' } });
    expect(commandResults()).toEqual([{ outcome: 'noted' }, { outcome: 'ended' }, { outcome: 'unknown' }]);
  });

  it('its program is stopped when the edge has canceled it already', async () => {
    await startProgram();
    agent.instructions.observe([{ instruction_id: 'ins_0', status: 'canceled', gate: null }]);
    expect(await resultOf()).toMatchObject({ status: 'canceled' });
  });
});

describe('a resubmitted message', () => {
  const write = '@conductor::files/write::{"path": "late", "content": "x"}';

  function observeBlocked(raw_text: string): void {
    agent = new InstructionHost({ policy: {} });
    agent.instructions.onFinalMessage(finalMessage(raw_text), 0);
    agent.accept({ 0: { status: 'blocked', gate: 'system_paused' } }, 'system_paused');
  }

  function resubmit(raw_text: string): void {
    const { link, assistant_message_id = null, ...sent } = body(raw_text);
    sendCommand({
      kind: 'message.resubmit',
      body: {
        message_id: 'msg_1',
        local_conversation_id: 'lc_1',
        platform: sent.platform,
        remote_conversation_id: sent.remote_conversation_id,
        client_id: sent.client_id,
        raw_text,
        target: { ...link, client_id: sent.client_id, conversation_id: sent.remote_conversation_id },
        assistant_message_id,
        block_errors: [],
        instructions: [{ instruction_id: 'ins_0', index: 0, target: 'conductor', tool: 'files/write' }],
      },
    });
  }
  const body = (raw_text: string) => ({
    ...finalMessage(raw_text),
    remote_conversation_id: 'conversation-1',
    link: { page_url: 'https://chatgpt.com/c/conversation-1', page_title: null, tab_id: 7, shell_page: false },
  });

  it('it is judged again, claimed, run, and gets a second reply', async () => {
    observeBlocked(block(write));
    await agent.reply();
    resubmit(block(write));
    const stream = 'conv:chatgpt:conversation-1';
    const claim = JSON.parse(agent.store.outbox.head(stream)?.body ?? '{}');
    expect(claim).toEqual({
      controller_id: NODE_ID,
      instructions: [{ instruction_id: 'ins_0', policy: { decision: 'allow', rule: 'default' } }],
    });
    const instruction = {
      instruction_id: 'ins_0',
      index: 0,
      status: 'claimed',
      claim_expires_in_ms: 60_000,
      gate: null,
    };
    agent.respond('claim', { message_id: 'msg_1', ingest_status: 'accepted', instructions: [instruction] }, stream);
    expect(await resultOf()).toMatchObject({ status: 'succeeded' });
    expect(existsSync(join(agent.workspace, 'late'))).toBe(true);
    await agent.reply(2);
    expect(agent.replies.map(({ plan_id }) => plan_id)).toEqual(['reply:msg_1', 'reply:msg_1:2']);
  });

  it('an instruction that its text does not contain is not claimed', async () => {
    observeBlocked(block(write));
    await agent.reply();
    resubmit(block('@conductor::exec::true'));
    expect(JSON.parse(agent.store.outbox.head('conv:chatgpt:conversation-1')?.body ?? '{}').instructions).toEqual([]);
  });
});
