import { beforeAll, describe, expect, it } from 'vitest';
import { rowsOf } from '../support/edge.ts';
import { OTHER_NODE, Renewals } from './support.ts';

const renewals = new Renewals();
const { edge } = renewals;
beforeAll(async () => {
  await renewals.lead();
  await renewals.heard(OTHER_NODE);
});

const activeLinks = async (conversation: string) =>
  (
    await rowsOf<{ client_id: string }>(
      `SELECT client_id FROM conversation_links WHERE remote_conversation_id = ? AND is_active = 1
        ORDER BY observed_at DESC`,
      conversation,
    )
  ).map((link) => link.client_id);
const chosenIn = async (messageId: string) => (await renewals.jobOf(messageId)).target_snapshot?.client_id;

/** A settled message whose conversation firefox-1 has open, and since then firefox-2 of the other node. */
async function openInTwo() {
  const message = await renewals.settled();
  const conversation = message.remote_conversation_id;
  await renewals.browser({ client: 'firefox-1', conversation, tab_id: 5 });
  edge.now += 1_000;
  await renewals.browser({ node: OTHER_NODE, client: 'firefox-2', conversation, tab_id: 6 });
  return { ...message, conversation };
}

describe('a closed tab', () => {
  it('takes no renewal from a browser that has the conversation open', async () => {
    const { message_id, conversation } = await openInTwo();
    edge.now += 1_000;
    await renewals.browser({ node: OTHER_NODE, client: 'firefox-2' });
    expect(await activeLinks(conversation)).toEqual(['firefox-1']);
    await renewals.tick();
    expect(await chosenIn(message_id)).toBe('firefox-1');
  });

  it('has its link again, the same one, once the browser lists it again', async () => {
    const { conversation } = await openInTwo();
    await renewals.browser({ node: OTHER_NODE, client: 'firefox-2' });
    await renewals.browser({ node: OTHER_NODE, client: 'firefox-2', conversation, tab_id: 8 });
    expect(await activeLinks(conversation)).toContain('firefox-2');
    expect(
      await rowsOf(
        "SELECT target_id FROM conversation_links WHERE remote_conversation_id = ? AND client_id = 'firefox-2'",
        conversation,
      ),
    ).toEqual([{ target_id: 'tab:8' }]);
  });

  it('gets no link by a message that was observed before it was closed', async () => {
    const { remote_conversation_id } = await renewals.settled();
    await renewals.browser({ client: 'firefox-1' });
    const late = renewals.message({ remote_conversation_id });
    await renewals.bring(late, { 'x-baa-age-ms': '5000' });
    expect(await activeLinks(remote_conversation_id)).toEqual([]);
    edge.now += 1;
    await renewals.bring(renewals.message({ remote_conversation_id }));
    expect(await activeLinks(remote_conversation_id)).toEqual(['firefox-1']);
  });

  it('leaves the links of other browsers, and those of a browser that is only disconnected', async () => {
    const { conversation } = await openInTwo();
    const tab = { ...renewals.message({ remote_conversation_id: conversation }).link, platform: 'chatgpt' };
    await edge.data('PUT', '/v1/controllers/mini-main/clients/firefox-1', {
      token: await renewals.token(),
      body: { connected: false, platforms: [], tabs: [tab] },
    });
    expect((await activeLinks(conversation)).sort()).toEqual(['firefox-1', 'firefox-2']);
  });
});

describe('an attempt that failed because the browser did not find the tab', () => {
  it('is held against its link: the next attempt is sent by another one', async () => {
    const { message_id } = await openInTwo();
    await renewals.tick();
    const job = await renewals.jobOf(message_id);
    expect(await chosenIn(message_id)).toBe('firefox-2');
    const failed = { result: { outcome: 'failed', reason: 'tab_not_found', method: 'dom' } };
    await renewals.act(
      `/v1/commands/${(await renewals.commandOf(job, OTHER_NODE)).command_id}/result`,
      failed,
      OTHER_NODE,
    );
    edge.now += 60_000;
    await renewals.lead();
    await renewals.heard(OTHER_NODE);
    await renewals.tick();
    expect(await renewals.jobOf(message_id)).toMatchObject({ status: 'running', attempt_count: 2 });
    expect(await chosenIn(message_id)).toBe('firefox-1');
  });

  it('is forgotten when the browser reports the tab again', async () => {
    const { conversation } = await openInTwo();
    await rowsOf('UPDATE conversation_links SET failed_at = 1 WHERE remote_conversation_id = ?', conversation);
    edge.now += 1_000;
    await renewals.browser({ node: OTHER_NODE, client: 'firefox-2', conversation, tab_id: 6 });
    expect(
      await rowsOf(
        'SELECT client_id FROM conversation_links WHERE remote_conversation_id = ? AND failed_at IS NULL',
        conversation,
      ),
    ).toEqual([{ client_id: 'firefox-2' }]);
  });
});
