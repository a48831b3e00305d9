/** What people decide while an instruction waits or runs: approvals, cancels, resubmissions. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { takeCommand } from '../../../../local-agent/edge/commands.ts';
import { ExecutionStore } from '../../../../local-agent/instructions/execution-store.ts';
import { InstructionResultSchema } from '../../../../local-agent/tools/tool.ts';
import type { Command } from '../../../../schema/contracts/commands.ts';
import { commandHandlers } from '../../../support/command-handlers.ts';
import type { HostOptions } from './instruction-host.ts';
import { block, finalMessage, InstructionHost, NODE_ID } from './instruction-host.ts';

let agent: InstructionHost;
afterEach(async () => agent.close());

let commands = 0;
/** The edge sends a command. The agent's response is in the outbox. */
function push(pushed: Pick<Command, 'kind' | 'body'>): void {
  commands += 1;
  const command_id = `cmd_${String(commands).padStart(26, '0')}`;
  const command = { command_id, expires_in_ms: 60_000, ...pushed } as Command;
  takeCommand(agent.store, commandHandlers(agent.instructions.commands), command, agent.now);
}

function commandResults(): unknown[] {
  return agent.store.db
    .prepare("SELECT body FROM outbox WHERE kind = 'command_result' ORDER BY id")
    .all()
    .map((row) => JSON.parse(String(row.body)).result);
}

const RUN_IT = { argv: ['sh', 'script.sh'] };
const script = () => join(agent.workspace, 'script.sh');
const effects = () =>
  existsSync(join(agent.workspace, 'effects')) && readFileSync(join(agent.workspace, 'effects'), 'utf8');

/** A message whose only instruction waits for approval. Returns the hash of the approval. */
function awaitApproval(options: HostOptions = { policy: {} }): string {
  agent = new InstructionHost(options);
  writeFileSync(script(), 'echo effect >> effects\n');
  agent.instructions.onFinalMessage(finalMessage(block(`@conductor::exec::${JSON.stringify(RUN_IT)}`)), 0);
  const body = agent.accept({ 0: { status: 'awaiting_approval' } }, 'awaiting_approval');
  return body.instructions[0]?.approval?.approval_hash ?? '';
}

function approve(approval_hash: string, decision: 'approved' | 'denied' | 'expired' = 'approved'): void {
  const claim_expires_in_ms = decision === 'approved' ? 60_000 : null;
  const body = { instruction_id: 'ins_0', decision, approval_hash, claim_expires_in_ms, released: [] };
  push({ kind: 'approval.decided', body });
}

/** Accepts the agent's reports until the instruction has ended. Returns its result. */
async function untilEnded(id = 'ins_0', statuses: Parameters<InstructionHost['acceptProgress']>[0] = {}) {
  for (;;) {
    await agent.nextRequest();
    if (agent.store.outbox.pendingStreams().some((one) => one.startsWith('conv:'))) {
      const result = agent.acceptProgress(statuses).find((item) => item.instruction_id === id)?.result;
      if (result) return result;
    } else await new Promise<void>((resolve) => void agent.store.outbox.onAppend(() => resolve()));
  }
}

/** An instruction of another conversation that ended on this host now. */
function endedMeanwhile(name: string, params: object, status = 'succeeded'): void {
  const ended = { status, output: '', exit_code: null, error_code: null, duration_ms: 1, truncated: false };
  agent.store.db
    .prepare(
      `INSERT INTO executions (instruction_id, message_id, idx, name, params, status, started_at)
       VALUES ('ins_other', 'msg_other', 0, ?, ?, 'running', 1)`,
    )
    .run(name, JSON.stringify(params));
  new ExecutionStore(agent.store.db).setResult('ins_other', InstructionResultSchema.parse(ended), 2);
}

describe('an approval when tools of this host have run since', () => {
  const write = (path: string) => ['conductor::files/write', { path, content: '' }] as const;

  it('is void when one has written, also after a restart', async () => {
    const hash = awaitApproval();
    endedMeanwhile(...write('Makefile'));
    agent.kill();
    agent.boot();
    agent.instructions.recover();
    approve(hash);
    const result = await untilEnded();
    expect(result).toMatchObject({ status: 'denied', error_code: 'approval_drifted' });
    expect(result.output).toContain('conductor::files/write (ins_other) has changed ');
    expect(effects()).toBe(false);
  });

  it('is void when a program has run and a file has changed', async () => {
    const hash = awaitApproval();
    endedMeanwhile('conductor::exec', { argv: ['cp', 'a', 'b'] });
    approve(hash);
    expect(await untilEnded()).toMatchObject({ status: 'denied', error_code: 'approval_drifted' });
  });

  it.each([
    ['one was denied', 'conductor::files/write', { path: 'Makefile', content: '' }, 'denied'],
    ['one has read', 'conductor::files/read', { path: 'Makefile' }, 'succeeded'],
  ])('holds when %s', async (_what, name, params, status) => {
    const hash = awaitApproval();
    endedMeanwhile(name, params, status);
    approve(hash);
    expect(await untilEnded()).toMatchObject({ status: 'succeeded' });
  });

  it('holds when one had written before the question was asked', async () => {
    agent = new InstructionHost({ policy: {} });
    endedMeanwhile(...write('Makefile'));
    writeFileSync(script(), 'echo effect >> effects\n');
    agent.instructions.onFinalMessage(finalMessage(block(`@conductor::exec::${JSON.stringify(RUN_IT)}`)), 0);
    const body = agent.accept({ 0: { status: 'awaiting_approval' } }, 'awaiting_approval');
    approve(body.instructions[0]?.approval?.approval_hash ?? '');
    expect(await untilEnded()).toMatchObject({ status: 'succeeded' });
  });
});

describe('an instruction that waits for approval', () => {
  it('an approved instruction runs once, and one reply follows', async () => {
    const hash = awaitApproval();
    expect(effects()).toBe(false);
    approve(hash);
    expect(await untilEnded()).toMatchObject({ status: 'succeeded' });
    expect(effects()).toBe('effect\n');
    expect(await agent.reply()).toContain('ok');
    expect(commandResults()).toEqual([{ outcome: 'noted' }]);
  });

  it('an approved instruction is denied when a file that it names has changed since', async () => {
    const hash = awaitApproval();
    writeFileSync(script(), 'echo other >> effects\n');
    approve(hash);
    expect(await untilEnded()).toMatchObject({ status: 'denied', error_code: 'approval_drifted' });
    expect(effects()).toBe(false);
  });

  it('an instruction is denied when the approval was for another call', async () => {
    awaitApproval();
    approve('f'.repeat(64));
    expect(await untilEnded()).toMatchObject({ status: 'denied', error_code: 'approval_drifted' });
    expect(effects()).toBe(false);
  });

  it('an approved instruction is denied when the policy denies it by then', async () => {
    const hash = awaitApproval();
    agent.writePolicy({ exec: { default: 'deny' } });
    approve(hash);
    const result = await untilEnded();
    expect(result).toMatchObject({ status: 'denied', error_code: 'denied_by_policy' });
    expect(result.output).toContain('exec.default');
    expect(effects()).toBe(false);
  });

  it('an approved instruction runs after a restart between the approval and the effect', async () => {
    const hash = awaitApproval();
    approve(hash);
    agent.kill();
    agent.boot();
    agent.instructions.recover();
    expect(await untilEnded()).toMatchObject({ status: 'succeeded' });
    expect(effects()).toBe('effect\n');
  });

  it.each(['denied', 'expired'] as const)('an instruction does not run when the decision is %s', async (decision) => {
    const hash = awaitApproval();
    approve(hash, decision);
    expect(await agent.reply()).toContain(decision === 'denied' ? 'denied_by_a_person' : 'approval_expired');
    approve(hash);
    expect(effects()).toBe(false);
  });

  it('the instructions behind an approval run in order after it', async () => {
    agent = new InstructionHost({ policy: {} });
    const write = '@conductor::files/write::{"path": "after", "content": "x"}';
    agent.instructions.onFinalMessage(finalMessage(block('@conductor::exec::{"argv": ["true"]}', write)), 0);
    const body = agent.accept({ 0: { status: 'awaiting_approval' }, 1: { status: 'waiting' } }, 'awaiting_approval');
    approve(body.instructions[0]?.approval?.approval_hash ?? '');
    const after = join(agent.workspace, 'after');
    await untilEnded('ins_0', { ins_1: { status: 'claimed' } });
    expect(existsSync(after)).toBe(false);
    await untilEnded('ins_1');
    expect(existsSync(after)).toBe(true);
    expect(await agent.reply()).toMatch(/1\\\. .*ok[\s\S]*2\\\. .*ok/);
    expect(agent.replies).toHaveLength(1);
  });
});

describe('a cancel', () => {
  const running = async () => {
    agent = new InstructionHost({ policy: { exec: { shell: 'allow' } } });
    agent.instructions.onFinalMessage(finalMessage(block('@conductor::exec::echo started; sleep 600')), 0);
    agent.accept();
    await agent.started('ins_0');
  };

  it('a canceled program is ended as a group, and the reply says so', async () => {
    await running();
    push({ kind: 'instruction.cancel', body: { instruction_id: 'ins_0' } });
    expect(await untilEnded()).toMatchObject({ status: 'canceled', error_code: 'canceled' });
    expect(await agent.reply()).toContain('canceled');
    push({ kind: 'instruction.cancel', body: { instruction_id: 'ins_0' } });
    push({ kind: 'instruction.cancel', body: { instruction_id: 'ins_9' } });
    expect(commandResults()).toEqual([{ outcome: 'noted' }, { outcome: 'ended' }, { outcome: 'unknown' }]);
  });

  it('a cancel that the edge reports ends the running program', async () => {
    await running();
    agent.instructions.observe([{ instruction_id: 'ins_0', status: 'canceled', gate: null }]);
    expect(await untilEnded()).toMatchObject({ status: 'canceled' });
  });
});

describe('a resubmitted message', () => {
  const write = '@conductor::files/write::{"path": "late", "content": "x"}';

  function blockMessage(raw_text: string, policy: unknown = {}): void {
    agent = new InstructionHost({ policy });
    agent.instructions.onFinalMessage(finalMessage(raw_text), 0);
    agent.accept({ 0: { status: 'blocked', gate: 'system_paused' } }, 'system_paused');
  }

  function pushResubmission(raw_text: string): void {
    const { link, assistant_message_id = null, ...sent } = body(raw_text);
    push({
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

  it('a resubmitted message is judged again, claimed and run, and a second reply follows', async () => {
    blockMessage(block(write));
    await agent.reply();
    pushResubmission(block(write));
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
    expect(await untilEnded()).toMatchObject({ status: 'succeeded' });
    expect(existsSync(join(agent.workspace, 'late'))).toBe(true);
    await agent.reply(2);
    expect(agent.replies.map(({ plan_id }) => plan_id)).toEqual(['reply:msg_1', 'reply:msg_1:2']);
  });

  it('a resubmission claims nothing that its text does not contain', async () => {
    blockMessage(block(write));
    await agent.reply();
    pushResubmission(block('@conductor::exec::true'));
    expect(JSON.parse(agent.store.outbox.head('conv:chatgpt:conversation-1')?.body ?? '{}').instructions).toEqual([]);
  });
});
