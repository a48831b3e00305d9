import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { InstructionRunBodySchema } from '../../../../schema/contracts/instructions.ts';
import type { HostOptions } from './instruction-host.ts';
import { block, finalMessage, InstructionHost } from './instruction-host.ts';

const hosts: InstructionHost[] = [];
function host(options?: HostOptions): InstructionHost {
  const made = new InstructionHost(options);
  hosts.push(made);
  return made;
}
afterEach(async () => {
  for (const one of hosts.splice(0)) await one.close();
});

const write = (path: string, content: string) => `@conductor::files/write::${JSON.stringify({ path, content })}`;

describe('the pipeline of one message', () => {
  it('a message is stored with its judged instructions before it is acknowledged', () => {
    const agent = host({ policy: { tools: { 'files/read': 'deny' } } });
    agent.instructions.onFinalMessage(finalMessage(block(write('a.txt', 'A'), '@conductor::files/read::a.txt')), 250);
    const row = agent.pendingRequest('ingest');
    expect(row).toMatchObject({ stream: 'conv:chatgpt:conversation-1', path: '/v1/messages', age_ms: 250 });
    const body = JSON.parse(row.body);
    expect(body).toMatchObject({ controller_id: 'node-1', remote_conversation_id: 'conversation-1', block_errors: [] });
    expect(body.instructions).toMatchObject([
      { index: 0, tool: 'files/write', params: { path: 'a.txt', content: 'A' }, policy: { decision: 'allow' } },
      { index: 1, tool: 'files/read', policy: { decision: 'deny', rule: 'tools["files/read"]' } },
    ]);
  });

  it.each([{ role: 'user' as const }, { role: 'tool' as const }, { conversation_id: null }])(
    'a message that no instruction can come from is acknowledged and not reported: %o',
    (frame) => {
      const agent = host();
      agent.instructions.onFinalMessage(finalMessage(block(write('a.txt', 'A')), frame), 0);
      expect(agent.hasRequests()).toBe(false);
    },
  );

  it('instructions are marked, executed and reported one after the other, and a reply follows', async () => {
    const agent = host();
    agent.gate = 'confirm';
    agent.instructions.onFinalMessage(finalMessage(block(write('a.txt', 'A'), '@conductor::files/read::a.txt')), 0);
    agent.accept();
    await agent.nextRequest();
    expect(readFileSync(join(agent.workspace, 'a.txt'), 'utf8')).toBe('A');
    // The next one waits for the response to this one.
    await agent.timers.flush();
    expect(JSON.parse(agent.pendingRequest('progress').body)).toMatchObject({
      controller_id: 'node-1',
      items: [{ instruction_id: 'ins_0', started: true, result: { status: 'succeeded' } }],
    });
    agent.acceptResult('ins_0');
    await agent.nextRequest();
    expect(agent.replies).toEqual([]);
    expect(agent.acceptResult('ins_1')).toMatchObject({ status: 'succeeded', output: 'A' });
    await agent.reply();
    expect(agent.messageState()).toBe('replying');
    expect(agent.replies).toMatchObject([
      { plan_id: 'reply:msg_1', subject_id: 'msg_1', client_id: 'firefox-1', target: { tab_id: 7 } },
    ]);
    expect(await agent.reply()).toContain('`conductor::files/read` — ok');
  });

  it('an instruction that the edge has blocked meanwhile does not start', async () => {
    const agent = host();
    agent.gate = 'confirm';
    agent.instructions.onFinalMessage(finalMessage(block(write('a.txt', 'A'), write('b.txt', 'B'))), 0);
    agent.accept();
    await agent.nextRequest();
    agent.acceptResult('ins_0', { ins_1: { status: 'blocked', gate: 'system_paused' } });
    await agent.reply();
    expect(existsSync(join(agent.workspace, 'b.txt'))).toBe(false);
    expect(await agent.reply()).toContain('not run: `system_paused`');
  });

  it('a policy that became stricter before the effect denies the instruction', async () => {
    const agent = host();
    agent.instructions.onFinalMessage(finalMessage(block(write('a.txt', 'A'))), 0);
    agent.writePolicy({ tools: { '*': 'deny' } });
    agent.accept();
    await agent.nextRequest();
    expect(agent.acceptResult('ins_0')).toMatchObject({ status: 'denied', error_code: 'denied_by_policy' });
    expect(existsSync(join(agent.workspace, 'a.txt'))).toBe(false);
  });

  it('an edge tool is run by the edge, whose response is the result', async () => {
    const agent = host();
    agent.instructions.onFinalMessage(finalMessage(block('@conductor::system/pause')), 0);
    expect(JSON.parse(agent.pendingRequest('ingest').body).instructions[0].policy.decision).toBe('allow');
    agent.accept();
    await agent.nextRequest();
    expect(agent.pendingRequest('run').path).toBe('/v1/instructions/ins_0/run');
    expect(() => InstructionRunBodySchema.parse(JSON.parse(agent.pendingRequest('run').body))).not.toThrow();
    agent.respond('run', {
      instruction_id: 'ins_0',
      status: 'succeeded',
      claim_expires_in_ms: null,
      artifact_id: null,
      artifact_url: null,
      rest: [],
      output: 'paused, version 4',
      error_code: null,
      duration_ms: 3,
    });
    expect(await agent.reply()).toContain('paused, version 4');
  });

  it('the reply names the rule that denied one of several instructions', async () => {
    const agent = host({ policy: { tools: { 'files/read': 'deny' } } });
    agent.instructions.onFinalMessage(finalMessage(block(write('a.txt', 'A'), '@conductor::files/read::a.txt')), 0);
    agent.accept({ 1: { status: 'denied' } });
    await agent.nextRequest();
    agent.acceptResult('ins_0');
    expect(await agent.reply()).toContain('denied: `tools["files/read"]`');
  });

  it('a message with a syntax error gets a reply at once that names the line', async () => {
    const agent = host();
    agent.instructions.onFinalMessage(finalMessage(block('@conductor::nothing')), 0);
    agent.accept({}, 'parse_error_only');
    expect(await agent.reply()).toContain('Block 1, line 4: `unknown_tool`');
  });

  it('does not reply to what could not be read while the conversation is paused', async () => {
    const agent = host();
    agent.instructions.onFinalMessage(finalMessage(block('@conductor::nothing')), 0);
    agent.accept({}, 'parse_error_only', 'paused');
    expect(agent.messageState()).toBe('done');
    await agent.instructions.stop();
    expect(agent.replies).toEqual([]);
  });

  it.each(['duplicate_message', 'duplicate_only', 'ignored_no_instructions', 'expired', 'capture_mismatch'])(
    'a message with the status %s gets no reply',
    async (status) => {
      const agent = host();
      agent.instructions.onFinalMessage(finalMessage(block(write('a.txt', 'A'))), 0);
      agent.accept({ 0: { status: 'expired' } }, status);
      expect(agent.messageState()).toBe('done');
      await agent.instructions.stop();
      expect(agent.replies).toEqual([]);
      expect(existsSync(join(agent.workspace, 'a.txt'))).toBe(false);
    },
  );

  it('a message stays open while an approval is awaited, and ends with it', async () => {
    const agent = host();
    agent.instructions.onFinalMessage(finalMessage(block('@conductor::exec::rm -rf .')), 0);
    const sent = agent.accept({ 0: { status: 'awaiting_approval' } }, 'awaiting_approval');
    expect(sent.instructions[0]).toMatchObject({
      policy: { decision: 'ask', rule: 'exec.shell' },
      approval: { display: expect.stringMatching(/^script:\nrm -rf \.\n\nThis approval binds /), cwd: agent.workspace },
    });
    expect(agent.replies).toEqual([]);
    agent.instructions.observe([{ instruction_id: 'ins_0', status: 'expired', gate: null }]);
    expect(await agent.reply()).toContain('too old');
  });

  it('no further instruction of a message starts when the edge has refused a result', async () => {
    const agent = host();
    agent.gate = 'confirm';
    agent.instructions.onFinalMessage(finalMessage(block(write('a.txt', 'A'), write('b.txt', 'B'))), 0);
    agent.accept();
    await agent.nextRequest();
    agent.refuse('progress', 'already_finished');
    await agent.reply();
    expect(existsSync(join(agent.workspace, 'b.txt'))).toBe(false);
    expect(await agent.reply()).toContain('interrupted');
  });

  it('an instruction whose claim has expired does not start', async () => {
    const agent = host();
    agent.instructions.onFinalMessage(finalMessage(block(write('a.txt', 'A'))), 0);
    agent.accept();
    agent.now += 60_000;
    await agent.nextRequest();
    expect(agent.acceptResult('ins_0')).toMatchObject({ status: 'interrupted', error_code: 'claim_expired' });
    expect(existsSync(join(agent.workspace, 'a.txt'))).toBe(false);
  });

  it('a broken policy is reported, and the one before it stays in force', () => {
    const agent = host({ policy: { tools: { 'files/write': 'deny' } } });
    agent.writePolicy('{ not json');
    agent.instructions.onFinalMessage(finalMessage(block(write('a.txt', 'A'))), 0);
    expect(JSON.parse(agent.pendingRequest('ingest').body).instructions[0].policy.decision).toBe('deny');
    expect(agent.instructions.policyProblem()).toContain('JSON');
    writeFileSync(join(agent.root, 'policy.json'), '{}');
    expect(agent.instructions.policyProblem()).toBeNull();
  });
});
