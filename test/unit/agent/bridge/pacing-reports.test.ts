import { describe, expect, it } from 'vitest';
import { DELIVERY } from '../../../../schema/defaults.ts';
import { newId } from '../../../../schema/ids.ts';
import { reply } from '../../../support/delivery-builders.ts';
import type { DeliveryResponse, TestBrowser } from '../../../support/test-browser.ts';
import { clientState, pageOf } from '../../../support/test-browser.ts';
import { BridgeFixture } from './fixture.ts';

interface Connected {
  agent: BridgeFixture;
  browser: TestBrowser;
}

async function connected(): Promise<Connected> {
  const agent = await BridgeFixture.start();
  const browser = await agent.browser();
  browser.client.send(clientState('s1', [pageOf('c1')]));
  await browser.client.next('message_ack');
  return { agent, browser };
}

/** Delivers one reply, and waits until its outcome is queued for the edge. */
async function deliver({ agent, browser }: Connected, id: string, response: Exclude<DeliveryResponse, 'silence'> = {}) {
  agent.side.delivery.enqueueReply(reply(id));
  const before = agent.reported('reply').length;
  await browser.delivers(response);
  await expect.poll(() => agent.reported('reply').length).toBe(before + 1);
}

const stoppedReasons = (agent: BridgeFixture) =>
  agent.reported('client_put').map(({ body }) => (body.platforms as { stopped_reason: unknown }[])[0]?.stopped_reason);

describe('the report of a browser to the edge', () => {
  it('a sign-out that a delivery finds is reported at once, and so is the resume', async () => {
    const world = await connected();
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
      agent.side.delivery.commands['client.resume']({
        command_id,
        expires_in_ms: 1,
        kind: 'client.resume',
        body: { client_id: 'firefox-1', platform: null },
      });
    });
    expect(stoppedReasons(agent).at(-1)).toBeNull();
  });

  it('another account is reported as a stop before anything is sent with it', async () => {
    const { agent, browser } = await connected();
    const other = clientState('s2', [pageOf('c1')]);
    browser.client.send({ ...other, logins: [{ platform: 'chatgpt', login: 'fresh', fingerprint: 'f2' }] });
    await browser.client.next('message_ack');
    expect(stoppedReasons(agent).at(-1)).toBe('account_changed');
  });

  it('mere activity is reported once a minute, in its newest state', async () => {
    const world = await connected();
    const { agent } = world;
    const before = agent.reported('client_put').length;
    await deliver(world, 'msg_1');
    agent.clock.advance(DELIVERY.min_spacing_ms + DELIVERY.spacing_jitter_ms);
    await deliver(world, 'msg_2');
    expect(agent.reported('client_put')).toHaveLength(before);
    agent.clock.advance(DELIVERY.activity_report_ms);
    const reports = agent.reported('client_put');
    expect(reports).toHaveLength(before + 1);
    expect(reports.at(-1)?.body).toMatchObject({
      platforms: [
        { slots: { last_activity_reason: 'delivered', recent_starts: 2, in_flight: 0, stale_sweep_count: 0 } },
      ],
    });
  });

  it('what a delivery found of its tabs is in the report, and stays after one that says nothing of them', async () => {
    const world = await connected();
    const { agent } = world;
    const page = {
      platform: 'chatgpt' as const,
      tab_id: 1,
      conversation_id: 'c1',
      shell_page: false,
      restored: true,
      composer: 'empty',
      is_answering: false,
      obstacle: null,
      login: 'fresh',
      drift: ['send: button', 'composer: textarea'],
    };
    await deliver(world, 'msg_1', {
      result: { actual_count: 1, restored_count: 1, skipped_reasons: ['older_tab', 'unloaded'] },
      shell_runtime: [page],
    });
    agent.clock.advance(DELIVERY.min_spacing_ms + DELIVERY.spacing_jitter_ms);
    await deliver(world, 'msg_2');
    agent.clock.advance(DELIVERY.activity_report_ms);
    expect(agent.reported('client_put').at(-1)?.body).toMatchObject({
      platforms: [
        {
          slots: {
            last_drift: 'send: button; composer: textarea',
            last_skipped: 'older_tab; unloaded',
            restored_count: 1,
          },
        },
      ],
    });
  });
});
