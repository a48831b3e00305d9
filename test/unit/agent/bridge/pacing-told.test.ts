/** What the edge is told of a browser's deliveries: a stop at once, mere activity once a minute. */
import { describe, expect, it } from 'vitest';
import type { BridgeClient } from '../../../../local-agent/stack/bridge-client.ts';
import { DELIVERY } from '../../../../schema/defaults.ts';
import { newId } from '../../../../schema/ids.ts';
import { BridgeFixture, clientState } from './fixture.ts';

async function browser(): Promise<{ agent: BridgeFixture; client: BridgeClient }> {
  const agent = await BridgeFixture.start();
  const client = await agent.browser();
  client.send(clientState('s1'));
  await client.next('message_ack');
  return { agent, client };
}

/** One delivery to that conversation, answered as told. */
async function deliver(
  { agent, client }: Awaited<ReturnType<typeof browser>>,
  id: string,
  answer: Parameters<BridgeClient['answer']>[1] = {},
): Promise<void> {
  agent.bridge.delivery.enqueue({
    plan_id: `reply:${id}`,
    subject_id: id,
    platform: 'chatgpt',
    client_id: 'firefox-1',
    conversation_id: 'c1',
    target: {
      client_id: 'firefox-1',
      conversation_id: 'c1',
      page_url: 'https://chatgpt.com/c/c1',
      page_title: null,
      tab_id: 1,
      shell_page: false,
    },
    message_text: 'done',
    assistant_message_id: null,
    timeout_ms: 20_000,
  });
  const before = agent.told('reply').length;
  client.answer(await client.next('browser.proxy_delivery'), answer);
  await expect.poll(() => agent.told('reply').length).toBe(before + 1);
}

const stoppedReasons = (agent: BridgeFixture) =>
  agent.told('client_put').map(({ body }) => (body.platforms as { stopped_reason: unknown }[])[0]?.stopped_reason);

describe('the edge', () => {
  it('hears of a sign-out at once, and of the resume', async () => {
    const world = await browser();
    const { agent } = world;
    await deliver(world, 'msg_1', {
      failed: true,
      reason: 'http_401',
      downstream: { method: 'dom', http_status: 401, seen_in_page: false, duration_ms: 1 },
    });
    expect(stoppedReasons(agent).at(-1)).toBe('signed_out');
    const command_id = newId('command', agent.clock.now());
    agent.store.transaction(() => {
      agent.store.seenCommands.take(command_id, 'client.resume', agent.clock.now());
      agent.bridge.commands['client.resume']({
        command_id,
        expires_in_ms: 1,
        kind: 'client.resume',
        body: { client_id: 'firefox-1', platform: null },
      });
    });
    expect(stoppedReasons(agent).at(-1)).toBeNull();
  });

  it('hears of another account before anything is sent with it', async () => {
    const { agent, client } = await browser();
    const other = clientState('s2');
    client.send({ ...other, logins: [{ platform: 'chatgpt', login: 'fresh', fingerprint: 'f2' }] });
    await client.next('message_ack');
    expect(stoppedReasons(agent).at(-1)).toBe('account_changed');
  });

  it('is told of activity once a minute, with the newest', async () => {
    const world = await browser();
    const { agent } = world;
    const before = agent.told('client_put').length;
    await deliver(world, 'msg_1');
    agent.clock.advance(DELIVERY.min_spacing_ms + DELIVERY.spacing_jitter_ms);
    await deliver(world, 'msg_2');
    expect(agent.told('client_put')).toHaveLength(before);
    agent.clock.advance(DELIVERY.activity_report_ms);
    const told = agent.told('client_put');
    expect(told).toHaveLength(before + 1);
    expect(told.at(-1)?.body).toMatchObject({
      platforms: [
        { slots: { last_activity_reason: 'delivered', recent_starts: 2, in_flight: 0, stale_sweep_count: 0 } },
      ],
    });
  });
});
