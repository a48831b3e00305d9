import { describe, expect, it } from 'vitest';
import { DELIVERY, INSTRUCTION } from '../../../../schema/defaults.ts';
import { DeliveryFixture, reply } from './fixture.ts';

const TYPING = {
  accepted: false,
  completed: true,
  failed: true,
  reason: 'user_typing',
  retry_after_ms: 3_000,
  downstream: null,
};
const SERVER_ERROR = {
  failed: true,
  reason: 'http_500',
  downstream: { method: 'replay', http_status: 500, seen_in_page: false, duration_ms: 5 },
} as const;

describe('replies', () => {
  it('sends a reply and tells the edge its outcome on the stream of the conversation', () => {
    const agent = new DeliveryFixture();
    agent.enqueue(reply('msg_1'));
    expect(agent.sent).toMatchObject([{ message_text: 'reply to msg_1', tab_id: 17, conversation_id: 'c1' }]);
    expect(agent.told('reply')).toEqual([]);
    agent.answer();
    expect(agent.told('reply')).toEqual([
      {
        path: '/v1/messages/msg_1/reply',
        stream: 'conv:chatgpt:c1',
        body: { controller_id: 'node-a', outcome: 'delivered', reason: null, attempt: 1 },
      },
    ]);
  });

  it('is the end of its message on this host', () => {
    const agent = new DeliveryFixture();
    agent.store.db.exec(
      `INSERT INTO messages (message_id, client_id, platform, remote_conversation_id, local_conversation_id, ingest_status,
         target, block_errors, state, created_at)
       VALUES ('msg_1', 'firefox-1', 'chatgpt', 'c1', 'lc_1', 'accepted', '{}', '[]', 'replying', 1)`,
    );
    agent.enqueue(reply('msg_1'));
    agent.answer();
    expect(agent.store.db.prepare('SELECT state FROM messages').all()).toEqual([{ state: 'done' }]);
  });

  it('stores nothing when the transaction that queued it fails', () => {
    const agent = new DeliveryFixture();
    expect(() =>
      agent.store.transaction(() => {
        agent.manager.enqueue(reply('msg_1'));
        throw new Error('disk');
      }),
    ).toThrow('disk');
    agent.clock.advance(0);
    expect(agent.sent).toEqual([]);
  });

  it('waits while the browser is away and goes out when it is back', () => {
    const agent = new DeliveryFixture();
    agent.connected.clear();
    agent.enqueue(reply('msg_1'));
    agent.clock.advance(60_000);
    expect(agent.sent).toEqual([]);
    agent.connected.add('firefox-1');
    agent.manager.wake();
    agent.clock.advance(0);
    expect(agent.sent).toHaveLength(1);
  });

  it('is given up, visibly, when the browser has not come back in time', () => {
    const agent = new DeliveryFixture();
    agent.connected.clear();
    agent.enqueue(reply('msg_1'));
    agent.clock.advance(INSTRUCTION.reply_give_up_ms - 1);
    expect(agent.told('reply')).toEqual([]);
    agent.clock.advance(1);
    expect(agent.told('reply')).toMatchObject([{ body: { outcome: 'given_up', reason: 'no_active_client' } }]);
  });

  it('comes again after a deferral, as the same attempt of the same plan', () => {
    const agent = new DeliveryFixture();
    agent.enqueue(reply('msg_1'));
    agent.answer(TYPING);
    agent.clock.advance(2_999);
    expect(agent.sent).toHaveLength(1);
    agent.clock.advance(1);
    expect(agent.sent.map((frame) => frame.plan_id)).toEqual(['reply:msg_1.1', 'reply:msg_1.1']);
    agent.answer();
    expect(agent.told('reply')).toMatchObject([{ body: { outcome: 'delivered', attempt: 1 } }]);
  });

  it('is tried a bounded number of times when the platform fails it, each under its own plan', () => {
    const agent = new DeliveryFixture();
    agent.enqueue(reply('msg_1'));
    for (let attempt = 1; attempt <= DELIVERY.reply_max_attempts; attempt += 1) {
      agent.answer(SERVER_ERROR);
      agent.clock.advance(DELIVERY.retry_base_ms * 2 ** attempt);
    }
    expect(agent.sent.map((frame) => frame.plan_id)).toEqual(['reply:msg_1.1', 'reply:msg_1.2', 'reply:msg_1.3']);
    expect(agent.told('reply')).toMatchObject([{ body: { outcome: 'failed', reason: 'http_500', attempt: 3 } }]);
  });

  it('is not tried again when the platform refuses who is asking', () => {
    const agent = new DeliveryFixture();
    agent.enqueue(reply('msg_1'));
    agent.answer({ ...SERVER_ERROR, downstream: { ...SERVER_ERROR.downstream, http_status: 403 } });
    expect(agent.told('reply')).toMatchObject([{ body: { outcome: 'failed', attempt: 1 } }]);
  });

  it.each([
    ['its time is over', (agent: DeliveryFixture) => agent.clock.advance(20_000), 'timeout'],
    ['its socket is lost', (agent: DeliveryFixture) => agent.manager.onDisconnected('firefox-1'), 'connection_lost'],
    ['the agent died', (agent: DeliveryFixture) => agent.restart(), 'agent_restarted'],
    ['there is no evidence', (agent: DeliveryFixture) => agent.answer({ downstream: null }), 'no_evidence'],
    [
      'it was typed and not seen',
      (agent: DeliveryFixture) =>
        agent.answer({
          failed: true,
          downstream: { method: 'dom', http_status: null, seen_in_page: false, duration_ms: 1 },
        }),
      'no_evidence',
    ],
  ])('is uncertain and never sent again when %s', (_why, happens, reason) => {
    const agent = new DeliveryFixture();
    agent.enqueue(reply('msg_1'));
    happens(agent);
    agent.clock.advance(INSTRUCTION.reply_give_up_ms);
    agent.enqueue(reply('msg_1'));
    agent.restart();
    expect(agent.sent).toHaveLength(1);
    expect(agent.told('reply')).toMatchObject([{ body: { outcome: 'uncertain', reason } }]);
  });

  it('asks the browser to stop what has timed out, and ignores its late answer', () => {
    const agent = new DeliveryFixture();
    agent.enqueue(reply('msg_1'));
    agent.clock.advance(20_000);
    const [delivery] = agent.sent;
    expect(agent.frames.at(-1)).toEqual({ type: 'browser.cancel', request_id: delivery?.request_id });
    agent.answer({}, delivery);
    expect(agent.told('reply')).toHaveLength(1);
  });

  it('takes a result only from the browser that was asked', () => {
    const agent = new DeliveryFixture();
    agent.enqueue(reply('msg_1'));
    const [delivery] = agent.sent;
    if (!delivery) throw new Error('nothing was sent');
    agent.answer({}, { ...delivery, client_id: 'firefox-2' });
    expect(agent.told('reply')).toEqual([]);
  });

  it('goes on waiting when the browser says that it has begun', () => {
    const agent = new DeliveryFixture();
    agent.enqueue(reply('msg_1'));
    agent.answer({ completed: false, downstream: null });
    expect(agent.told('reply')).toEqual([]);
    agent.answer();
    expect(agent.told('reply')).toMatchObject([{ body: { outcome: 'delivered' } }]);
  });
});
