/** Waits of deliveries on a node whose wall clock is set while its agent runs, or while none does. */
import { describe, expect, it } from 'vitest';
import { DELIVERY } from '../../../../schema/defaults.ts';
import { reply } from '../../../support/delivery-builders.ts';
import { DeliveryFixture } from './fixture.ts';

const SERVER_ERROR = {
  failed: true,
  reason: 'http_500',
  downstream: { method: 'replay', http_status: 500, seen_in_page: false, duration_ms: 5 },
} as const;
const HOUR_MS = 3_600_000;
const MINUTE_MS = 60_000;

/** How long the reply to msg_1 waits after its first attempt has failed, when `disturb` happens a second later. */
function backoffMs(disturb: (agent: DeliveryFixture) => void = () => undefined): number {
  const agent = new DeliveryFixture();
  agent.enqueue(reply('msg_1'));
  agent.respond(SERVER_ERROR);
  agent.clock.advance(1_000);
  disturb(agent);
  // What causes a run sees the clock as it is now.
  agent.connect('firefox-1');
  let waitedMs = 1_000;
  for (; agent.sent.length < 2 && waitedMs < 2 * HOUR_MS; waitedMs += 500) agent.clock.advance(500);
  return waitedMs;
}

describe('the backoff of a reply', () => {
  const usual = () => backoffMs();

  it('is longer than a second', () => {
    expect(usual()).toBeGreaterThan(DELIVERY.retry_base_ms / 2);
    expect(usual()).toBeLessThan(DELIVERY.retry_max_ms * 2);
  });

  it.each([
    ['set back by an hour', -HOUR_MS],
    ['set forward by five minutes', 5 * MINUTE_MS],
  ])('is as long as usual when the clock is %s', (_what, by) => {
    expect(
      backoffMs((agent) => {
        agent.clock.wallMs += by;
      }),
    ).toBe(usual());
  });

  it('is as long as usual when the clock is set several times', () => {
    expect(
      backoffMs((agent) => {
        for (const by of [-HOUR_MS, 5 * MINUTE_MS, -MINUTE_MS]) {
          agent.clock.wallMs += by;
          agent.connect('firefox-1');
        }
      }),
    ).toBe(usual());
  });

  it('is as long as usual when the disk failed in the middle of moving the waits, and they were moved again', () => {
    const waited = backoffMs((agent) => {
      agent.enqueue({ ...reply('msg_2', 'c2'), platform: 'claude' });
      agent.respond();
      agent.store.db.exec(`CREATE TEMP TRIGGER full BEFORE UPDATE ON delivery_slots WHEN NEW.platform = 'claude'
        BEGIN SELECT RAISE(ABORT, 'the disk is full'); END`);
      agent.clock.wallMs -= HOUR_MS;
      expect(() => agent.connect('firefox-1')).toThrow('the disk is full');
      agent.store.db.exec('DROP TRIGGER full');
      agent.frames.splice(0, agent.frames.length, ...agent.sent.slice(0, 1));
    });
    expect(waited).toBe(usual());
  });

  it('is no longer than usual when the clock was set back while no agent ran', () => {
    const waited = backoffMs((agent) => {
      agent.clock.wallMs -= HOUR_MS;
      agent.restart();
    });
    expect(waited).toBeLessThanOrEqual(usual() + 1_000);
  });
});

describe('the deadline of a reply', () => {
  it('is not later when the clock is set back', () => {
    const agent = new DeliveryFixture();
    agent.connected.clear();
    agent.enqueue(reply('msg_1'));
    agent.clock.advance(MINUTE_MS);
    agent.clock.wallMs -= HOUR_MS;
    agent.manager.onDisconnected('firefox-1');
    agent.clock.advance(0);
    agent.clock.advance(9 * MINUTE_MS - 1);
    expect(agent.reported('reply')).toEqual([]);
    agent.clock.advance(1);
    expect(agent.reported('reply')).toMatchObject([{ body: { outcome: 'given_up' } }]);
  });

  it('has passed after a sleep that was longer, as the edge has given the reply up', () => {
    const agent = new DeliveryFixture();
    agent.connected.clear();
    agent.enqueue(reply('msg_1'));
    // The monotonic clock pauses while the machine sleeps.
    agent.clock.wallMs += HOUR_MS;
    agent.connect('firefox-1');
    expect(agent.sent).toEqual([]);
    expect(agent.reported('reply')).toMatchObject([{ body: { outcome: 'given_up' } }]);
  });
});
