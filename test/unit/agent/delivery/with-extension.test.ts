/** A reply through the agent's deliveries and those of the extension, over connections that are lost. */
import { describe, expect, it } from 'vitest';
import { reply } from '../../../support/delivery-builders.ts';
import type { Kept } from '../../../support/extension/delivery-scene.ts';
import { DeliveryScene, seenLook } from '../../../support/extension/delivery-scene.ts';
import { DeliveryFixture } from './fixture.ts';

/** An agent and a browser whose page loads for long, and the reply that waits for it there. */
class Pair {
  readonly agent = new DeliveryFixture();
  readonly kept: Kept = { plans: [] };
  browser = new DeliveryScene(this.kept);
  /** Orders that the browser has been given, and results that the agent has. */
  #given = 0;
  #taken = 0;

  constructor() {
    this.agent.enqueue(reply('msg_1'));
    this.browser.handlers.look = () => seenLook('c1', { composer: 'loading' });
  }

  /** What either side has sent reaches the other one. */
  async exchange(): Promise<void> {
    for (const order of this.agent.sent.slice(this.#given)) this.browser.deliveries.take(order);
    this.#given = this.agent.sent.length;
    await this.browser.clock.flush();
    for (const result of this.browser.results.slice(this.#taken))
      this.agent.manager.onActionResult('firefox-1', result);
    this.#taken = this.browser.results.length;
    this.agent.clock.advance(0);
  }

  /** The socket is lost, with what either side sends meanwhile. */
  async disconnect(): Promise<void> {
    this.agent.connected.clear();
    this.agent.manager.onDisconnected('firefox-1');
    this.browser.deliveries.onDisconnected();
    await this.browser.clock.flush();
    this.#taken = this.browser.results.length;
  }

  /** The background page ends, and another one begins with what storage has kept. */
  endBackground(): void {
    this.browser = new DeliveryScene(this.kept);
    this.#taken = 0;
  }

  /** Connects again, and lets the agent send what it has, and not so long that it asks again. */
  async reconnect(): Promise<void> {
    this.agent.connect('firefox-1');
    await this.exchange();
    for (let second = 0; second < 15; second += 1) {
      this.agent.clock.advance(1_000);
      await this.exchange();
    }
  }

  get presses(): number {
    return this.browser.calls.filter((call) => call.endsWith('press')).length;
  }

  async sendsAndResponds(): Promise<void> {
    const requestId = await this.browser.sends({ text: 'reply to msg_1' });
    await this.browser.responds(requestId, 200);
    await this.browser.clock.elapse(1_000);
    await this.exchange();
  }
}

describe('a reply that waits for its page when the connection is lost', () => {
  it.each<[string, (pair: Pair) => void]>([
    ['the background page lives on', () => undefined],
    ['the background page ends', (pair) => pair.endBackground()],
  ])('is sent once, after the connection is back, when %s', async (_what, happens) => {
    const pair = new Pair();
    await pair.exchange();
    await pair.disconnect();
    happens(pair);
    pair.browser.handlers.look = () => seenLook('c1');
    await pair.reconnect();
    expect(pair.presses).toBe(1);
    await pair.sendsAndResponds();
    expect(pair.agent.reported('reply')).toMatchObject([{ body: { outcome: 'delivered', attempt: 2 } }]);
  });
});

describe('a reply that was pressed when the connection is lost', () => {
  it('is delivered by the result that the browser has stored meanwhile, and not pressed again', async () => {
    const pair = new Pair();
    pair.browser.handlers.look = () => seenLook('c1');
    await pair.exchange();
    expect(pair.presses).toBe(1);
    await pair.disconnect();
    const requestId = await pair.browser.sends({ text: 'reply to msg_1' });
    await pair.browser.responds(requestId, 200);
    await pair.browser.clock.elapse(1_000);
    await pair.disconnect();
    await pair.reconnect();
    expect(pair.presses).toBe(1);
    expect(pair.agent.reported('reply')).toMatchObject([{ body: { outcome: 'delivered', attempt: 1 } }]);
  });

  it('is uncertain, and not given up, when the next background page can never read what was sent', async () => {
    const pair = new Pair();
    pair.browser.handlers.look = () => seenLook('c1');
    await pair.exchange();
    await pair.disconnect();
    pair.kept.isUnreadable = true;
    pair.endBackground();
    await pair.reconnect();
    for (let second = 0; second < 750; second += 1) {
      pair.agent.clock.advance(1_000);
      await pair.exchange();
    }
    expect(pair.presses).toBe(0);
    expect(pair.agent.readings).toHaveLength(2);
    expect(pair.agent.reported('reply')).toMatchObject([{ body: { outcome: 'uncertain', attempt: 1 } }]);
  });

  it('is searched for when the background page ended before it knew', async () => {
    const pair = new Pair();
    pair.browser.handlers.look = () => seenLook('c1');
    await pair.exchange();
    await pair.disconnect();
    pair.endBackground();
    await pair.reconnect();
    expect(pair.presses).toBe(0);
    expect(pair.agent.readings).toMatchObject([{ conversation_id: 'c1' }]);
  });
});
