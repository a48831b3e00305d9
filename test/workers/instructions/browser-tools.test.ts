import { describe, expect, it } from 'vitest';
import type { InstructionRunResponse } from '../../../schema/contracts/instructions.ts';
import { Conductor, DESCRIBE, OTHER_NODE } from '../support/conductor.ts';
import { ENTRIES, EVENTS, NODE, rowsOf } from '../support/edge.ts';
import { bringTo, browserOf, commandsFor, messageStatus, reportCommandResult, statusesOf, sweep } from './support.ts';

const conductor = new Conductor();
const { edge } = conductor;
const SEND = { target: 'browser.chatgpt', tool: 'send', params: { prompt: 'hello' } };
const run = (id: string | undefined) => conductor.act<InstructionRunResponse>(`/v1/instructions/${id}/run`);
const RESULT = { status: 'succeeded', output: 'sent', duration_ms: 40, truncated: false };

// In this order: at first no node has a browser of the platform, then the other node has one.
describe('a browser tool whose browser another node has', () => {
  it('the instruction fails with no_active_client when no node has such a browser', async () => {
    const { ids, message_id } = await bringTo(conductor, [SEND, DESCRIBE]);
    const response = await run(ids[0]);
    expect(response).toMatchObject({ status: 'failed', error_code: 'no_active_client', rest: [{ status: 'claimed' }] });
    expect((await run(ids[0])).error_code).toBe('no_active_client');
    await run(ids[1]);
    expect(await messageStatus(message_id)).toBe('failed');
  });

  it('the instruction fails with no_credentials when no such browser is signed in', async () => {
    await browserOf(conductor, OTHER_NODE, 'firefox-2', { login: 'lost' });
    const { ids } = await bringTo(conductor, [SEND]);
    expect(await run(ids[0])).toMatchObject({ status: 'failed', error_code: 'no_credentials' });
  });

  it('the node that has the browser runs it once, and its result ends the instruction and can be read by the node that holds it', async () => {
    await browserOf(conductor, OTHER_NODE, 'firefox-2');
    const { ids, message_id, remote } = await bringTo(conductor, [SEND, DESCRIBE]);
    expect(await run(ids[0])).toMatchObject({ status: 'running', output: '', error_code: null });
    expect(await run(ids[0])).toMatchObject({ status: 'running' });
    const [command, ...more] = await commandsFor(conductor, 'instruction', OTHER_NODE);
    expect(more).toEqual([]);
    expect(command?.body).toEqual({
      requested_by: 'instruction',
      instruction_id: ids[0],
      approved: false,
      name: 'browser.chatgpt::send',
      params: { prompt: 'hello' },
      platform: 'chatgpt',
      conversation_id: remote,
      timeout_ms: 60_000,
    });
    expect((await edge.error('POST', `/v1/instructions/${ids[1]}/run`, await asNode())).error).toBe('conflict');
    await reportCommandResult(conductor, command?.command_id ?? '', RESULT, OTHER_NODE);
    expect(await statusesOf(message_id)).toEqual(['succeeded', 'claimed']);
    expect(await run(ids[0])).toMatchObject({ status: 'succeeded', output: 'sent', duration_ms: 40 });
    const [ended] = await rowsOf<{ controller_id: string; chain: string }>(
      `SELECT controller_id, chain FROM ${ENTRIES} WHERE instruction_id = ? AND kind = 'ended'`,
      ids[0],
    );
    expect(ended).toEqual({ controller_id: OTHER_NODE, chain: NODE });
  });

  it('an instruction without a result is interrupted when its claim expires, and a later result is kept as late', async () => {
    const { ids, message_id } = await bringTo(conductor, [SEND]);
    await run(ids[0]);
    const [command] = await commandsFor(conductor, 'instruction', OTHER_NODE);
    edge.now += 120_001;
    await sweep(conductor);
    expect(await statusesOf(message_id)).toEqual(['interrupted']);
    expect(await commandsFor(conductor, 'instruction', OTHER_NODE)).toEqual([]);
    await reportCommandResult(conductor, command?.command_id ?? '', RESULT, OTHER_NODE);
    expect(await statusesOf(message_id)).toEqual(['interrupted']);
  });

  it('the instruction fails at once when that node refuses the command, and the next one can run', async () => {
    const { ids, message_id } = await bringTo(conductor, [SEND, DESCRIBE]);
    await run(ids[0]);
    const [command] = await commandsFor(conductor, 'instruction', OTHER_NODE);
    const receipts = [{ command_id: command?.command_id ?? '', accepted: false, code: 'unsupported' }];
    const token = await conductor.token(OTHER_NODE);
    await edge.data('POST', `/v1/controllers/${OTHER_NODE}/receipts`, { token, body: { receipts } });
    await expect.poll(() => statusesOf(message_id)).toEqual(['failed', 'claimed']);
    expect(await run(ids[0])).toMatchObject({ status: 'failed', error_code: 'unsupported' });
    // A repeated receipt changes nothing.
    await edge.data('POST', `/v1/controllers/${OTHER_NODE}/receipts`, { token, body: { receipts } });
    await run(ids[1]);
    expect(await messageStatus(message_id)).toBe('failed');
  });

  it('an instruction that another node runs is canceled at once', async () => {
    const { ids, message_id } = await bringTo(conductor, [SEND]);
    await run(ids[0]);
    await edge.data('POST', `/v1/instructions/${ids[0]}/cancel`, { body: {} });
    expect(await statusesOf(message_id)).toEqual(['canceled']);
  });
});

async function asNode() {
  return { token: await conductor.token(), body: { controller_id: NODE } };
}

describe('a person who uses a browser through the API', () => {
  it('a person sees which node has which browser, and its delivery pace', async () => {
    await browserOf(conductor, NODE, 'firefox-9', { login: 'stale', slots: { stale_sweep_count: 2, breaker: 'open' } });
    const page = await edge.data<{
      clients: { client_id: string; platforms: object[] }[];
      policy: { defaults: Record<string, number>; targets: object[] };
    }>('GET', '/v1/browser?platform=chatgpt&status=stale');
    expect(page.clients.map((client) => client.client_id)).toEqual(['firefox-9']);
    expect(page.clients[0]?.platforms[0]).not.toHaveProperty('slots');
    expect(page.policy.targets).toEqual([
      {
        client_id: 'firefox-9',
        controller_id: NODE,
        platform: 'chatgpt',
        stopped_reason: null,
        stale_sweep_count: 2,
        breaker: 'open',
      },
    ]);
    expect(page.policy.defaults.stale_lease).toBe(10_000);
    const none = await edge.data<{ clients: object[] }>('GET', '/v1/browser?platform=gemini');
    expect(none.clients).toEqual([]);
    await browserOf(conductor, NODE, 'firefox-9', { connected: false });
  });

  it('a person sends a prompt, and an event says how that ended', async () => {
    const path = '/v1/browser/chatgpt/send';
    const headers = { 'idempotency-key': 'send-once' };
    const call = { body: { prompt: 'hello' }, headers };
    const { command_id, controller_id } = await edge.data<{ command_id: string; controller_id: string }>(
      'POST',
      path,
      call,
    );
    expect(controller_id).toBe(OTHER_NODE);
    expect(await edge.data('POST', path, call)).toEqual({ command_id, controller_id });
    const pending = await commandsFor(conductor, 'instruction', OTHER_NODE);
    expect(pending.find((one) => one.command_id === command_id)?.body).toEqual({
      requested_by: 'person',
      name: 'browser.chatgpt::send',
      params: { prompt: 'hello' },
      platform: 'chatgpt',
      timeout_ms: 60_000,
    });
    await reportCommandResult(
      conductor,
      command_id,
      { ...RESULT, status: 'failed', error_code: 'timeout' },
      OTHER_NODE,
    );
    const [event] = await rowsOf<{ data: string }>(
      `SELECT data FROM ${EVENTS} WHERE type = 'sent' AND subject_id = ?`,
      command_id,
    );
    expect(JSON.parse(event?.data ?? '')).toEqual({
      status: 'failed',
      error_code: 'timeout',
      controller_id: OTHER_NODE,
    });
  });

  it('a prompt is passed on exactly as it is, of 100 KB too, and a blank one is refused', async () => {
    const prompt = ` \n\tfirst\r\n${'漢🎼 "\\ '.repeat(12_500)}last \n\n`;
    const path = '/v1/browser/chatgpt/send';
    const { command_id } = await edge.data<{ command_id: string }>('POST', path, { body: { prompt } });
    const pending = await commandsFor(conductor, 'instruction', OTHER_NODE);
    expect(pending.find((one) => one.command_id === command_id)?.body).toMatchObject({ params: { prompt } });
    const refused = await edge.error('POST', path, { body: { prompt: ' \n' } });
    expect(refused.status).toBe(400);
  });

  it('a prompt is refused while the system is paused', async () => {
    await conductor.mode('pause');
    const response = await edge.error('POST', '/v1/browser/chatgpt/send', { body: { prompt: 'hello' } });
    expect(response.error).toBe('system_paused');
    await conductor.mode('resume');
  });

  it('a person reads the conversation that a browser shows at this moment', async () => {
    const reading = edge.data('POST', '/v1/browser/chatgpt/current', { body: { conversation_id: 'c-1' } });
    const command = await appears(async () => (await commandsFor(conductor, 'browser.read', OTHER_NODE))[0]);
    expect(command.body).toEqual({ platform: 'chatgpt', conversation_id: 'c-1' });
    const shown = { conversation_id: 'c-1', source: 'site', messages: [{ role: 'user', message_id: 'm', text: 'hi' }] };
    await reportCommandResult(conductor, command.command_id, { outcome: 'read', ...shown }, OTHER_NODE);
    expect(await reading).toEqual({ ...shown, controller_id: OTHER_NODE });
  });

  it('a request is refused when no browser is connected, or none is signed in', async () => {
    const errorOf = async (method: string, path: string, call = {}) => (await edge.error(method, path, call)).error;
    expect(await errorOf('POST', '/v1/browser/gemini/current')).toBe('no_active_client');
    expect(await errorOf('POST', '/v1/browser/gemini/send', { body: { prompt: 'x' } })).toBe('no_active_client');
    await browserOf(conductor, OTHER_NODE, 'firefox-2', { login: 'lost' });
    expect(await errorOf('POST', '/v1/browser/chatgpt/current')).toBe('no_credentials');
    expect(await errorOf('POST', '/v1/browser/chatgpt/send', { body: { prompt: 'x' } })).toBe('no_credentials');
  });
});

/** Repeats `look` until it finds something. Each look is a call of the edge, which takes time. */
async function appears<T>(look: () => Promise<T | undefined>): Promise<T> {
  const found = await look();
  return found ?? appears(look);
}
