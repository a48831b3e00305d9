/**
 * What a thief does with the token of one node: each step of an attack on the browsers, messages and conversations of
 * another node. OTHER_NODE is the thief's; NODE has the browser `firefox-1`.
 */
import { beforeAll, describe, expect, it } from 'vitest';
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
