/** Tools that act in a browser: by this host's own, through the edge by another's, and for another node. */
import { afterEach, describe, expect, it } from 'vitest';
import { takeCommand } from '../../../../local-agent/edge/commands.ts';
import type { Command } from '../../../../schema/contracts/commands.ts';
import type { TargetPayload } from '../../../../schema/contracts/conversations.ts';
import { INSTRUCTION } from '../../../../schema/defaults.ts';
import { commandHandlers } from '../../../support/command-handlers.ts';
import { block, finalMessage, InstructionHost } from './instruction-host.ts';

const TAB: TargetPayload = {
  client_id: 'firefox-1',
  conversation_id: 'other',
  page_url: 'https://claude.ai/chat/other',
  page_title: null,
  tab_id: 3,
  shell_page: false,
};
const SEND = '@browser.claude::send::{"prompt": "please review", "conversation_id": "other"}';
const CURRENT = '@browser.claude::current';
/** What these tests are about happens behind the policy. */
const ALLOWED = { tools: { 'browser.*/*': 'allow' } };

let agent: InstructionHost;
afterEach(async () => agent.close());

async function claimed(line: string, target: TargetPayload | null, policy: unknown = ALLOWED): Promise<void> {
  agent = new InstructionHost({ policy });
  agent.reading = 'no response';
  agent.target = target;
  agent.instructions.onFinalMessage(finalMessage(block(line)), 0);
  agent.accept();
  await agent.timers.flush();
}

describe('a prompt to a chat', () => {
  it('a prompt is queued as a delivery, and its instruction ends when the delivery has ended', async () => {
    await claimed(SEND, TAB);
    agent.timers.advance(INSTRUCTION.live_interval_ms);
    expect(agent.acceptProgress()).toMatchObject([{ instruction_id: 'ins_0', started: true }]);
    expect(agent.prompts).toMatchObject([
      {
        plan_id: 'ins_0',
        requestedBy: 'instruction',
        conversation_id: 'other',
        platform: 'claude',
        message_text: 'please review',
      },
    ]);
    agent.instructions.promptEnded({
      subject_kind: 'instruction',
      subject_id: 'ins_0',
      result: { outcome: 'delivered', reason: null, method: 'replay' },
    });
    expect(agent.acceptResult('ins_0')).toMatchObject({ status: 'succeeded' });
    expect(await agent.reply()).toContain('`browser.claude::send` — ok');
  });

  it('a restart neither loses a queued prompt nor queues it again', async () => {
    await claimed(SEND, TAB);
    agent.kill();
    agent.boot();
    agent.instructions.recover();
    agent.timers.advance(INSTRUCTION.live_interval_ms);
    expect(agent.acceptProgress()).toEqual([{ instruction_id: 'ins_0', started: true, started_age_ms: 0 }]);
    expect(agent.hasRequests()).toBe(false);
    expect(agent.prompts).toHaveLength(1);
    const uncertain = { outcome: 'uncertain', reason: 'agent_restarted', method: null } as const;
    agent.instructions.promptEnded({ subject_kind: 'instruction', subject_id: 'ins_0', result: uncertain });
    expect(agent.acceptResult('ins_0')).toMatchObject({ status: 'interrupted', error_code: 'uncertain' });
  });

  it('a prompt is judged by the name of its tool', async () => {
    await claimed(SEND, TAB, { tools: { 'browser.*/send': 'deny' } });
    expect(agent.acceptResult('ins_0')).toMatchObject({ status: 'denied', error_code: 'denied_by_policy' });
    expect(agent.prompts).toEqual([]);
  });
});

describe('a reading of a chat', () => {
  it('the conversation is read from its tab', async () => {
    agent = new InstructionHost({ policy: ALLOWED });
    agent.target = TAB;
    agent.reading = {
      conversation_id: 'other',
      source: 'site',
      messages: [{ role: 'assistant', message_id: 'm', text: 'done' }],
    };
    agent.instructions.onFinalMessage(finalMessage(block(CURRENT)), 0);
    agent.accept();
    await agent.nextRequest();
    expect(agent.acceptResult('ins_0').output).toBe('conversation other\n\n[assistant]\ndone\n');
  });

  it('a reading is interrupted when the agent dies meanwhile', async () => {
    await claimed(CURRENT, TAB);
    agent.kill();
    agent.boot();
    agent.instructions.recover();
    expect(agent.acceptResult('ins_0')).toMatchObject({ status: 'interrupted', error_code: 'agent_died' });
  });
});

describe('a host without that browser', () => {
  const answer = (status: string, output: string) => ({
    instruction_id: 'ins_0',
    status,
    claim_expires_in_ms: null,
    artifact_id: null,
    artifact_url: null,
    rest: [],
    output,
    error_code: null,
    duration_ms: 5,
  });

  it('a node without the browser asks the edge, waits for the node that has it, and fetches the output', async () => {
    await claimed(CURRENT, null);
    agent.respond('run', answer('running', ''));
    expect(agent.hasRequests()).toBe(false);
    expect(agent.instructions.awaited()).toEqual(['ins_0']);
    agent.instructions.observe([{ instruction_id: 'ins_0', status: 'running', gate: null }]);
    expect(agent.hasRequests()).toBe(false);
    agent.instructions.observe([{ instruction_id: 'ins_0', status: 'succeeded', gate: null }]);
    agent.respond('run', answer('succeeded', 'read by another node'));
    expect(await agent.reply()).toContain('read by another node');
    expect(agent.instructions.awaited()).toEqual([]);
  });
});

describe('a browser command of another node', () => {
  const command_id = 'cmd_00000000000000000000000001';
  function push(name: string, params: object, more: object = {}, id = command_id): unknown {
    const body = {
      requested_by: 'instruction',
      instruction_id: 'ins_far',
      name,
      params,
      platform: 'chatgpt',
      timeout_ms: 60_000,
      ...more,
    };
    const command = { command_id: id, expires_in_ms: 1, kind: 'instruction', body } as Command;
    takeCommand(agent.store, commandHandlers(agent.instructions.commands), command, agent.now);
    return agent.store.seenCommands.find(id)?.result;
  }

  it('a command sends the prompt, and its result follows when the delivery has ended', () => {
    agent = new InstructionHost({ policy: ALLOWED });
    agent.target = TAB;
    expect(push('browser.claude::send', { prompt: 'x' })).toBeNull();
    expect(agent.prompts).toMatchObject([{ subject_id: command_id, requestedBy: 'command' }]);
    const result = { outcome: 'delivered', reason: null, method: 'dom' } as const;
    agent.instructions.promptEnded({ subject_kind: 'command', subject_id: command_id, result });
    expect(agent.store.seenCommands.find(command_id)?.result).toMatchObject({ status: 'succeeded' });
  });

  it.each([
    ['conductor::exec', {}, { status: 'denied', error_code: 'unknown_tool' }],
    ['browser.claude::send', {}, { status: 'failed', error_code: 'invalid_params' }],
    ['browser.claude::send', { prompt: 'x' }, { status: 'failed', error_code: 'no_active_client' }],
  ])('a command %s with %j is refused when this node cannot perform it', (name, params, result) => {
    agent = new InstructionHost({ policy: ALLOWED });
    expect(push(name, params)).toMatchObject(result);
  });

  it('a command without a rule runs when a person asked for it or approved it, and else is denied', () => {
    agent = new InstructionHost();
    let sent = 0;
    const send = (more: object) => {
      sent += 1;
      const id = `${command_id.slice(0, -1)}${sent + 1}`;
      return push('browser.claude::send', { prompt: 'x', conversation_id: 'c' }, more, id);
    };
    // No browser of this node has the platform: that is found out behind the policy.
    const passed = { error_code: 'no_active_client' };
    expect(send({})).toMatchObject({ error_code: 'denied_by_policy' });
    expect(send({ approved: false, conversation_id: 'c' })).toMatchObject({ error_code: 'denied_by_policy' });
    expect(send({ approved: true })).toMatchObject(passed);
    expect(send({ platform: 'claude', conversation_id: 'c' })).toMatchObject(passed);
    expect(send({ requested_by: 'person' })).toMatchObject(passed);
  });

  it('a command is judged by the policy of the node that performs it', () => {
    agent = new InstructionHost({ policy: { platforms: { chatgpt: 'deny' } } });
    agent.target = TAB;
    expect(push('browser.claude::send', { prompt: 'x' })).toMatchObject({ error_code: 'denied_by_policy' });
    expect(agent.prompts).toEqual([]);
  });
});
