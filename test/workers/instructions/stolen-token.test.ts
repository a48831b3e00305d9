/**
 * What a thief does with the token of one node: each step of an attack on the browsers, messages and conversations of
 * another node. OTHER_NODE is the thief's; NODE has the browser `firefox-1`.
 */
import { beforeAll, describe, expect, it } from 'vitest';
import type { Conversation } from '../../../schema/contracts/conversations.ts';
import { Conductor, EXEC, instructionsOf, OTHER_NODE } from '../support/conductor.ts';
import { NODE, rowsOf } from '../support/edge.ts';
import { bringTo, browserOf, commandsFor, moveBrowser, nextConversation, registered, statusesOf } from './support.ts';

const conductor = new Conductor();
const { edge } = conductor;
beforeAll(() => browserOf(conductor, NODE, 'firefox-1'));

const HOUR_MS = 3_600_000;
const foreign = { status: 403, error: 'client_of_other_node', details: { field: 'client_id' } };
/** An attempt of the thief, which must fail. */
const attempt = async (method: string, path: string, body: Record<string, unknown> = {}) =>
  edge.error(method, path, { token: await conductor.token(OTHER_NODE), body });
const claimBrowser = (clientId: string, tabs: unknown[] = []) =>
  attempt('PUT', `/v1/controllers/${OTHER_NODE}/clients/${clientId}`, { connected: true, platforms: [], tabs });
const ownerOf = async (clientId: string) => {
  const [row] = await rowsOf<{ controller_id: string }>(
    'SELECT controller_id FROM clients WHERE client_id = ?',
    clientId,
  );
  return row?.controller_id;
};

describe("a node's token and a browser of another node", () => {
  it('cannot report that browser, with or without tabs', async () => {
    expect(await claimBrowser('firefox-1')).toMatchObject(foreign);
    const remote = nextConversation();
    const tab = { ...conductor.message({ remote_conversation_id: remote }).link, platform: 'chatgpt' };
    expect(await claimBrowser('firefox-1', [tab])).toMatchObject(foreign);
    expect(await rowsOf('SELECT 1 FROM conversation_links WHERE remote_conversation_id = ?', remote)).toEqual([]);
    expect(await ownerOf('firefox-1')).toBe(NODE);
  });

  it('cannot report a browser that is known by a message only', async () => {
    await conductor.bring(conductor.message({ client_id: 'firefox-new', remote_conversation_id: nextConversation() }));
    expect(await claimBrowser('firefox-new')).toMatchObject(foreign);
  });

  it('cannot bring a message of it, and so makes no link, no claim and no conversation', async () => {
    const remote = nextConversation();
    const message = conductor.message({
      controller_id: OTHER_NODE,
      client_id: 'firefox-1',
      remote_conversation_id: remote,
      instructions: instructionsOf(EXEC),
    });
    expect(await attempt('POST', '/v1/messages', { ...message })).toMatchObject(foreign);
    expect(await rowsOf('SELECT 1 FROM local_conversations WHERE remote_conversation_id = ?', remote)).toEqual([]);
  });

  it('does not get its resubmitted messages, and cannot claim them', async () => {
    await conductor.mode('pause');
    const { message_id, ids } = await bringTo(conductor, [EXEC]);
    await conductor.mode('resume');
    await claimBrowser('firefox-1');
    const { controller_id } = await edge.data<{ controller_id: string }>(
      'POST',
      `/v1/messages/${message_id}/resubmit`,
      {
        body: {},
      },
    );
    expect(controller_id).toBe(NODE);
    expect(await commandsFor(conductor, 'message.resubmit', OTHER_NODE)).toEqual([]);
    const verdicts = ids.map((instruction_id) => ({ instruction_id, policy: { decision: 'allow', rule: 'mine' } }));
    const claim = { controller_id: OTHER_NODE, instructions: verdicts };
    expect(await attempt('POST', `/v1/messages/${message_id}/claim`, claim)).toMatchObject({ error: 'not_owner' });
    expect(await statusesOf(message_id)).toEqual(['blocked']);
  });

  it('cannot claim a message that it was asked to judge, once its browser has been moved away', async () => {
    const client_id = 'firefox-moved';
    await browserOf(conductor, OTHER_NODE, client_id);
    await conductor.mode('pause');
    const { message_id, instructions } = await conductor.bring(
      conductor.message({
        controller_id: OTHER_NODE,
        client_id,
        remote_conversation_id: nextConversation(),
        instructions: instructionsOf(EXEC),
      }),
    );
    await conductor.mode('resume');
    await edge.data('POST', `/v1/messages/${message_id}/resubmit`, { body: {} });
    await moveBrowser(conductor, client_id, NODE);
    const verdicts = instructions.map(({ instruction_id }) => ({
      instruction_id,
      policy: { decision: 'allow', rule: 'mine' },
    }));
    const claim = { controller_id: OTHER_NODE, instructions: verdicts };
    expect(await attempt('POST', `/v1/messages/${message_id}/claim`, claim)).toMatchObject(foreign);
    expect(await statusesOf(message_id)).toEqual(['blocked']);
  });

  it('cannot start, end, or report the reply of its instructions, nor answer its commands', async () => {
    const { message_id, ids } = await bringTo(conductor, [EXEC]);
    await claimBrowser('firefox-1');
    const result = {
      controller_id: OTHER_NODE,
      status: 'succeeded',
      output: 'forged',
      duration_ms: 1,
      truncated: false,
    };
    const me = { controller_id: OTHER_NODE };
    const items = [{ instruction_id: ids[0], started: true }];
    for (const [path, body] of [
      [`/v1/instructions/${ids[0]}/started`, me],
      [`/v1/instructions/${ids[0]}/result`, result],
      [`/v1/instructions/${ids[0]}/run`, me],
      [`/v1/messages/${message_id}/progress`, { ...me, items }],
      [`/v1/messages/${message_id}/reply`, { ...me, outcome: 'delivered', reason: null, attempt: 1 }],
    ] as const) {
      expect(await attempt('POST', path, body), path).toMatchObject({ status: 403, error: 'not_owner' });
    }
    expect(await statusesOf(message_id)).toEqual(['claimed']);
  });

  it('cannot move it', async () => {
    const path = '/v1/browser/clients/firefox-1/move';
    expect(await attempt('POST', path, { controller_id: OTHER_NODE })).toMatchObject({
      status: 403,
      error: 'forbidden',
    });
    expect(await ownerOf('firefox-1')).toBe(NODE);
  });
});

describe("a node's token and a conversation whose id the thief knows", () => {
  /** The thief's browser, of another account, has the conversation open by its own report. */
  const claims = async (node: string, client_id: string, fingerprint: string | null, remote: string) => {
    const state = { platform: 'chatgpt', login: 'fresh', fingerprint, hooks: [], stopped_reason: null };
    const tab = { ...conductor.message({ remote_conversation_id: remote }).link, platform: 'chatgpt' };
    await edge.data('PUT', `/v1/controllers/${node}/clients/${client_id}`, {
      token: await conductor.token(node),
      body: { connected: true, platforms: [state], tabs: [tab] },
    });
  };
  const shown = async (node: string, remote: string) => {
    const path = `/v1/renewal/conversations?remote_conversation_id=${remote}`;
    const { items } = await edge.data<{ items: Conversation[] }>('GET', path, { token: await conductor.token(node) });
    return items;
  };
  async function withOutput() {
    const remote = nextConversation();
    await claims(NODE, 'firefox-1', 'owner', remote);
    const { ids } = await bringTo(conductor, [EXEC], remote);
    await conductor.result(ids[0] ?? '', { output: 'secret output' });
    return { remote, instruction_id: ids[0] };
  }

  it('is not shown the conversation through a browser of another account', async () => {
    const { remote } = await withOutput();
    await claims(OTHER_NODE, 'firefox-thief', 'thief', remote);
    const [own] = await shown(NODE, remote);
    expect(own).toMatchObject({ remote_conversation_id: remote });
    expect(await shown(OTHER_NODE, remote)).toEqual([]);
    const detail = `/v1/renewal/conversations/${own?.local_conversation_id}`;
    const thief = { token: await conductor.token(OTHER_NODE) };
    expect(await edge.error('GET', detail, thief)).toMatchObject({ status: 403, error: 'not_owner' });
    const { active_link } = await edge.data<{ active_link: { client_id: string } }>('GET', detail);
    expect(active_link.client_id).toBe('firefox-1');
  });

  it('is shown the conversation, and may renew it, through a browser of the same account', async () => {
    const { remote } = await withOutput();
    await claims(OTHER_NODE, 'firefox-same', 'owner', remote);
    expect(await shown(OTHER_NODE, remote)).toHaveLength(1);
  });

  it('cannot read an output of another node in it, though it knows the id of the instruction', async () => {
    const { remote, instruction_id } = await withOutput();
    await claims(OTHER_NODE, 'firefox-thief', null, remote);
    const read = { target: 'conductor', tool: 'output/read', params: { instruction_id, offset: 0 } };
    const { instructions } = await conductor.bring(
      conductor.message({
        controller_id: OTHER_NODE,
        client_id: 'firefox-thief',
        remote_conversation_id: remote,
        instructions: instructionsOf(read),
      }),
    );
    const path = `/v1/instructions/${instructions[0]?.instruction_id}/run`;
    const reply = await conductor.act<{ error_code: string; output: string }>(path, {}, OTHER_NODE);
    expect(reply).toMatchObject({ status: 'failed', error_code: 'not_owner' });
    expect(reply.output).toContain('a node reads only outputs of its own instructions');
    expect(reply.output).not.toContain('secret output');
  });
});

describe('the move of a browser to another node', () => {
  const move = (clientId: string, token?: string) =>
    edge.call('POST', `/v1/browser/clients/${clientId}/move`, {
      ...(token === undefined ? {} : { token }),
      body: { controller_id: OTHER_NODE },
    });
  const tokenOf = async (subject: string) => (await edge.mint('browser_admin', { subject })).token;

  it("is made under the browser's own token, with its links, and its old node then reports it no more", async () => {
    await browserOf(conductor, NODE, 'firefox-own');
    await conductor.bring(conductor.message({ client_id: 'firefox-own', remote_conversation_id: nextConversation() }));
    await registered(conductor, OTHER_NODE);
    expect((await move('firefox-own', await tokenOf('firefox-own'))).status).toBe(200);
    expect(await ownerOf('firefox-own')).toBe(OTHER_NODE);
    expect(
      await rowsOf("SELECT DISTINCT controller_id FROM conversation_links WHERE client_id = 'firefox-own'"),
    ).toEqual([{ controller_id: OTHER_NODE }]);
    const body = { connected: true, platforms: [], tabs: [] };
    const path = `/v1/controllers/${NODE}/clients/firefox-own`;
    expect(await edge.error('PUT', path, { token: await conductor.token(), body })).toMatchObject(foreign);
    await browserOf(conductor, OTHER_NODE, 'firefox-own');
  });

  it('is refused under the token of another browser, and to a node that has never registered', async () => {
    await browserOf(conductor, NODE, 'firefox-stays');
    const reply = await move('firefox-stays', await tokenOf('firefox-other'));
    expect([reply.status, JSON.parse(reply.text).error]).toEqual([403, 'not_owner']);
    const unknown = { body: { controller_id: 'no-such-node' } };
    expect(await edge.error('POST', '/v1/browser/clients/firefox-stays/move', unknown)).toMatchObject({
      status: 404,
      error: 'controller_not_found',
    });
    expect(await ownerOf('firefox-stays')).toBe(NODE);
  });
});

describe('a node that claims and then reports nothing', () => {
  it('keeps its conversation busy for an hour at most, however many instructions it has claimed', async () => {
    const many = Array.from({ length: 32 }, () => EXEC);
    const { message_id } = await bringTo(conductor, many);
    const [latest] = await rowsOf<{ at: number }>(
      'SELECT max(claim_expires_at) AS at FROM instructions WHERE message_id = ?',
      message_id,
    );
    expect(latest?.at).toBe(edge.now + HOUR_MS);
  });

  it('does not lengthen that hour by reporting starts', async () => {
    const { message_id, ids } = await bringTo(
      conductor,
      Array.from({ length: 8 }, () => EXEC),
    );
    const claimedAt = edge.now;
    for (const id of ids) {
      edge.now += 9 * 60_000;
      await conductor.act(`/v1/instructions/${id}/started`);
    }
    const [latest] = await rowsOf<{ at: number }>(
      'SELECT max(claim_expires_at) AS at FROM instructions WHERE message_id = ?',
      message_id,
    );
    expect(latest?.at).toBe(claimedAt + HOUR_MS);
  });
});
