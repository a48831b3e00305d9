import { beforeAll, describe, expect, it } from 'vitest';
import { rowsOf } from '../support/edge.ts';
import { OTHER_NODE, Renewals } from './support.ts';

const renewals = new Renewals();
const { edge } = renewals;
beforeAll(async () => {
  await renewals.lead();
  await renewals.heard(OTHER_NODE);
});

/** A settled message whose conversation firefox-1 has open in tab 17, and since then another browser in that tab. */
async function settledInTwo(tab_id: number, more: { node?: string; stopped_reason?: string } = {}) {
  const { node = OTHER_NODE, stopped_reason = null } = more;
  const message = await renewals.settled();
  const conversation = message.remote_conversation_id;
  await renewals.browser({ node, client: 'firefox-2', conversation, tab_id }, { stopped_reason });
  return message;
}
const chosenIn = async (id: string) => (await renewals.detail(id)).active_link?.client_id;

describe('a conversation that two browsers have open', () => {
  it('is renewed by the older link when the newer one, of a stopped browser, has no tab; the detail agrees', async () => {
    const { message_id, local_conversation_id } = await settledInTwo(0, { stopped_reason: 'signed_out' });
    expect(await chosenIn(local_conversation_id)).toBe('firefox-1');
    expect(await renewals.next(local_conversation_id)).toMatchObject({ due: true, reason: 'due' });
    await renewals.tick();
    expect(await renewals.skipReason(message_id)).toBeNull();
    expect(await renewals.jobOf(message_id)).toMatchObject({
      status: 'running',
      target_snapshot: { client_id: 'firefox-1', target: { id: 'tab:17' } },
    });
    expect(await renewals.next(local_conversation_id)).toMatchObject({ due: true, reason: 'being_delivered' });
  });

  it('is renewed by the older link when the newer one, of a running browser, has no tab', async () => {
    const { message_id, local_conversation_id } = await settledInTwo(0);
    expect(await chosenIn(local_conversation_id)).toBe('firefox-1');
    await renewals.tick();
    expect((await renewals.jobOf(message_id)).target_snapshot).toMatchObject({ target: { id: 'tab:17' } });
  });

  it('waits for the node of its only link with a tab, and the detail says so, though another node is in contact', async () => {
    const { message_id, local_conversation_id } = await settledInTwo(0);
    // That node is unknown.
    await rowsOf(
      "UPDATE conversation_links SET controller_id = 'attic-main' WHERE client_id = 'firefox-1' AND local_conversation_id = ?",
      local_conversation_id,
    );
    await renewals.tick();
    expect(await renewals.jobOf(message_id)).toMatchObject({ status: 'pending', last_error: 'node_unreachable' });
    expect(await renewals.next(local_conversation_id)).toMatchObject({ due: false, reason: 'node_unreachable' });
  });

  it('becomes no job while neither link has a tab, and the detail says so', async () => {
    const link = { ...renewals.message().link, remote_conversation_id: 'two-without-tabs', tab_id: 0 };
    const { message_id, local_conversation_id } = await renewals.settled('auto', {
      remote_conversation_id: 'two-without-tabs',
      link,
    });
    await renewals.browser({ client: 'firefox-3', conversation: 'two-without-tabs', tab_id: 0 });
    await renewals.tick();
    expect(await renewals.skipReason(message_id)).toBe('route_unavailable');
    expect(await renewals.next(local_conversation_id)).toMatchObject({ due: false, reason: 'route_unavailable' });
    edge.now += 1;
    await renewals.browser({ client: 'firefox-3', conversation: 'two-without-tabs', tab_id: 8 });
    await renewals.tick();
    expect((await renewals.jobOf(message_id)).target_snapshot).toMatchObject({ target: { id: 'tab:8' } });
  });
});
