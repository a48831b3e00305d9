/** Tools that act in a browser: of this node, of another node through the edge, and for another node. */
import { afterEach, describe, expect, it } from 'vitest';
import { takeCommand } from '../../../../local-agent/edge/commands.ts';
import type { Command } from '../../../../schema/contracts/commands.ts';
import type { TargetPayload } from '../../../../schema/contracts/conversations.ts';
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

let agent: InstructionHost;
afterEach(async () => agent.close());

async function observeClaimed(line: string, target: TargetPayload | null, policy: unknown = {}): Promise<void> {
  agent = new InstructionHost({ policy });
  agent.reading = 'no response';
  agent.target = target;
  agent.instructions.onFinalMessage(finalMessage(block(line)), 0);
  agent.accept();
  await agent.nextRequest();
}

describe('a prompt into a chat', () => {
  it('it is queued as a delivery with the started mark, and ends with that delivery', async () => {
    await observeClaimed(SEND, TAB);
    agent.acceptStarted('ins_0');
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

  it('a restart in between neither loses it nor queues it again', async () => {
    await observeClaimed(SEND, TAB);
    agent.kill();
    agent.boot();
    agent.instructions.recover();
    agent.acceptStarted('ins_0');
    expect(agent.hasRequests()).toBe(false);
    expect(agent.prompts).toHaveLength(1);
    const uncertain = { outcome: 'uncertain', reason: 'agent_restarted', method: null } as const;
    agent.instructions.promptEnded({ subject_kind: 'instruction', subject_id: 'ins_0', result: uncertain });
    expect(agent.acceptResult('ins_0')).toMatchObject({ status: 'interrupted', error_code: 'uncertain' });
  });

  it('the policy judges it by its name', async () => {
    await observeClaimed(SEND, TAB, { tools: { 'browser.*/send': 'deny' } });
    agent.acceptStarted('ins_0');
    expect(agent.acceptResult('ins_0')).toMatchObject({ status: 'denied', error_code: 'denied_by_policy' });
    expect(agent.prompts).toEqual([]);
  });
});

describe('the reading of a chat', () => {
  it('the conversation is read from the tab', async () => {
    agent = new InstructionHost();
    agent.target = TAB;
    agent.reading = {
      conversation_id: 'other',
      source: 'site',
      messages: [{ role: 'assistant', message_id: 'm', text: 'done' }],
    };
    agent.instructions.onFinalMessage(finalMessage(block(CURRENT)), 0);
    agent.accept();
    await agent.nextRequest();
    agent.acceptStarted('ins_0');
    await agent.nextRequest();
    expect(agent.acceptResult('ins_0').output).toBe('conversation other\n\n[assistant]\ndone\n');
  });

  it('it is interrupted when the agent is killed meanwhile', async () => {
    await observeClaimed(CURRENT, TAB);
    agent.kill();
    agent.boot();
    agent.instructions.recover();
    agent.acceptStarted('ins_0');
    expect(agent.acceptResult('ins_0')).toMatchObject({ status: 'interrupted', error_code: 'agent_died' });
  });
});

describe('a node without a browser of the platform', () => {
  const runResponse = (status: string, output: string) => ({
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

  it('it asks the edge, waits while another node runs the call, and fetches the result', async () => {
    await observeClaimed(CURRENT, null);
    agent.respond('run', runResponse('running', ''));
    expect(agent.hasRequests()).toBe(false);
    expect(agent.instructions.awaited()).toEqual(['ins_0']);
    agent.instructions.observe([{ instruction_id: 'ins_0', status: 'running', gate: null }]);
    expect(agent.hasRequests()).toBe(false);
    agent.instructions.observe([{ instruction_id: 'ins_0', status: 'succeeded', gate: null }]);
    agent.respond('run', runResponse('succeeded', 'read on another node'));
    expect(await agent.reply()).toContain('read on another node');
    expect(agent.instructions.awaited()).toEqual([]);
  });
});

describe('a browser call for another node', () => {
  const command_id = 'cmd_00000000000000000000000001';
  function sendCall(name: string, params: object): unknown {
    const body = {
      requested_by: 'instruction',
      instruction_id: 'ins_far',
      name,
      params,
      platform: 'chatgpt',
      timeout_ms: 60_000,
    };
    const command = { command_id, expires_in_ms: 1, kind: 'instruction', body } as Command;
    takeCommand(agent.store, commandHandlers(agent.instructions.commands), command, agent.now);
    return agent.store.seenCommands.find(command_id)?.result;
  }

  it('the prompt is sent, and the command gets its result when the delivery has ended', () => {
    agent = new InstructionHost();
    agent.target = TAB;
    expect(sendCall('browser.claude::send', { prompt: 'x' })).toBeNull();
    expect(agent.prompts).toMatchObject([{ subject_id: command_id, requestedBy: 'command' }]);
    const result = { outcome: 'delivered', reason: null, method: 'dom' } as const;
    agent.instructions.promptEnded({ subject_kind: 'command', subject_id: command_id, result });
    expect(agent.store.seenCommands.find(command_id)?.result).toMatchObject({ status: 'succeeded' });
  });

  it.each([
    ['conductor::exec', {}, { status: 'denied', error_code: 'unknown_tool' }],
    ['browser.claude::send', {}, { status: 'failed', error_code: 'invalid_params' }],
    ['browser.claude::send', { prompt: 'x' }, { status: 'failed', error_code: 'no_active_client' }],
  ])('the call %s with %j of a node without a browser is refused', (name, params, result) => {
    agent = new InstructionHost();
    expect(sendCall(name, params)).toMatchObject(result);
  });

  it('the policy of this node applies', () => {
    agent = new InstructionHost({ policy: { platforms: { chatgpt: 'deny' } } });
    agent.target = TAB;
    expect(sendCall('browser.claude::send', { prompt: 'x' })).toMatchObject({ error_code: 'denied_by_policy' });
    expect(agent.prompts).toEqual([]);
  });
});

describe('a prompt whose end is reported twice', () => {
  it('only the first end is stored and reported', async () => {
    await observeClaimed(SEND, TAB);
    agent.acceptStarted('ins_0');
    const end = (outcome: 'delivered' | 'failed') =>
      agent.instructions.promptEnded({
        subject_kind: 'instruction',
        subject_id: 'ins_0',
        result: { outcome, reason: null, method: 'replay' },
      });
    end('delivered');
    end('failed');
    expect(agent.acceptResult('ins_0')).toMatchObject({ status: 'succeeded' });
    expect(agent.hasRequests()).toBe(false);
    expect(await agent.reply()).toContain('`browser.claude::send` — ok');
  });
});
