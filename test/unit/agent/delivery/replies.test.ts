import { describe, expect, it } from 'vitest';
import { DELIVERY, INSTRUCTION } from '../../../../schema/defaults.ts';
import { reply } from '../../../support/delivery-builders.ts';
import { DeliveryFixture } from './fixture.ts';

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
  it('a reply is sent, and its outcome is reported on the stream of the conversation', () => {
    const agent = new DeliveryFixture();
    agent.enqueue(reply('msg_1'));
    expect(agent.sent).toMatchObject([{ message_text: 'reply to msg_1', tab_id: 17, conversation_id: 'c1' }]);
    expect(agent.reported('reply')).toEqual([]);
    agent.respond();
    expect(agent.reported('reply')).toEqual([
      {
        path: '/v1/messages/msg_1/reply',
        stream: 'conv:chatgpt:c1',
        body: { controller_id: 'node-a', outcome: 'delivered', reason: null, attempt: 1 },
      },
    ]);
  });

  it('a delivered reply ends its message on this node', () => {
    const agent = new DeliveryFixture();
    agent.store.db.exec(
      `INSERT INTO messages (message_id, client_id, platform, remote_conversation_id, local_conversation_id, ingest_status,
         target, block_errors, state, created_at)
       VALUES ('msg_1', 'firefox-1', 'chatgpt', 'c1', 'lc_1', 'accepted', '{}', '[]', 'replying', 1)`,
    );
    agent.enqueue(reply('msg_1'));
    agent.respond();
    expect(agent.store.db.prepare('SELECT state FROM messages').all()).toEqual([{ state: 'done' }]);
  });

  it('a reply whose transaction fails is not queued', () => {
    const agent = new DeliveryFixture();
    expect(() =>
      agent.store.transaction(() => {
        agent.manager.enqueueReply(reply('msg_1'));
        throw new Error('disk');
      }),
    ).toThrow('disk');
    agent.clock.advance(0);
    expect(agent.sent).toEqual([]);
  });

  it('a reply waits while its browser is away and leaves when it connects', () => {
    const agent = new DeliveryFixture();
    agent.connected.clear();
    agent.enqueue(reply('msg_1'));
    agent.clock.advance(60_000);
    expect(agent.sent).toEqual([]);
    agent.connect('firefox-1');
    expect(agent.sent).toHaveLength(1);
  });

  it('a reply whose browser does not connect in time is reported as given up', () => {
    const agent = new DeliveryFixture();
    agent.connected.clear();
    agent.enqueue(reply('msg_1'));
    agent.clock.advance(INSTRUCTION.reply_give_up_ms - 1);
    expect(agent.reported('reply')).toEqual([]);
    agent.clock.advance(1);
    expect(agent.reported('reply')).toMatchObject([{ body: { outcome: 'given_up', reason: 'no_active_client' } }]);
  });

  it('a deferred reply is sent again as the same attempt of the same plan', () => {
    const agent = new DeliveryFixture();
    agent.enqueue(reply('msg_1'));
    agent.respond(TYPING);
    agent.clock.advance(2_999);
    expect(agent.sent).toHaveLength(1);
    agent.clock.advance(1);
    expect(agent.sent.map((frame) => frame.plan_id)).toEqual(['reply:msg_1.1', 'reply:msg_1.1']);
    agent.respond();
    expect(agent.reported('reply')).toMatchObject([{ body: { outcome: 'delivered', attempt: 1 } }]);
  });

  it('a reply that the platform fails is tried a bounded number of times, each under its own plan', () => {
    const agent = new DeliveryFixture();
    agent.enqueue(reply('msg_1'));
    for (let attempt = 1; attempt <= DELIVERY.reply_max_attempts; attempt += 1) {
      agent.respond(SERVER_ERROR);
      agent.clock.advance(DELIVERY.retry_base_ms * 2 ** attempt);
    }
    expect(agent.sent.map((frame) => frame.plan_id)).toEqual(['reply:msg_1.1', 'reply:msg_1.2', 'reply:msg_1.3']);
    expect(agent.reported('reply')).toMatchObject([{ body: { outcome: 'failed', reason: 'http_500', attempt: 3 } }]);
  });

  it('a reply of a signed-out browser is not tried again', () => {
    const agent = new DeliveryFixture();
    agent.enqueue(reply('msg_1'));
    agent.respond({ ...SERVER_ERROR, downstream: { ...SERVER_ERROR.downstream, http_status: 403 } });
    expect(agent.reported('reply')).toMatchObject([{ body: { outcome: 'failed', attempt: 1 } }]);
  });

  it('a reply that times out is canceled in the browser', () => {
    const agent = new DeliveryFixture();
    agent.enqueue(reply('msg_1'));
    agent.clock.advance(20_000);
    const [delivery] = agent.sent;
    expect(agent.frames[1]).toEqual({ type: 'browser.cancel', request_id: delivery?.request_id });
  });

  it('a result of another browser is ignored', () => {
    const agent = new DeliveryFixture();
    agent.enqueue(reply('msg_1'));
    const [delivery] = agent.sent;
    if (!delivery) throw new Error('nothing was sent');
    agent.respond({}, { ...delivery, client_id: 'firefox-2' });
    expect(agent.reported('reply')).toEqual([]);
  });

  it('a result that says the browser has begun does not end the reply', () => {
    const agent = new DeliveryFixture();
    agent.enqueue(reply('msg_1'));
    agent.respond({ completed: false, downstream: null });
    expect(agent.reported('reply')).toEqual([]);
    agent.respond();
    expect(agent.reported('reply')).toMatchObject([{ body: { outcome: 'delivered' } }]);
  });
});

describe('a reply that its page had to leave alone', () => {
  const FREE = { platform: 'chatgpt', conversation_id: 'c1' } as const;
  function deferred(): DeliveryFixture {
    const agent = new DeliveryFixture();
    agent.enqueue(reply('msg_1'));
    agent.respond({ ...TYPING, reason: 'draft_in_composer', retry_after_ms: 60_000 });
    // The distance between two deliveries.
    agent.clock.advance(DELIVERY.min_spacing_ms + DELIVERY.spacing_jitter_ms);
    expect(agent.sent).toHaveLength(1);
    return agent;
  }
  function report(
    agent: DeliveryFixture,
    conversation: { platform: 'chatgpt'; conversation_id: string },
    by = 'firefox-1',
  ) {
    agent.manager.onComposerFree(by, conversation);
    agent.clock.advance(0);
  }

  it('is sent when its browser reports that the page can be used again, without its attempt counting', () => {
    const agent = deferred();
    report(agent, FREE);
    expect(agent.sent.map(({ plan_id }) => plan_id)).toEqual(['reply:msg_1.1', 'reply:msg_1.1']);
  });

  it('waits on when another browser, or another conversation, is reported', () => {
    const agent = deferred();
    report(agent, FREE, 'firefox-2');
    report(agent, { ...FREE, conversation_id: 'c2' });
    expect(agent.sent).toHaveLength(1);
    agent.clock.advance(60_000);
    expect(agent.sent).toHaveLength(2);
  });

  it('keeps its backoff when it had failed for another reason', () => {
    const agent = new DeliveryFixture();
    agent.enqueue(reply('msg_1'));
    agent.respond({ ...TYPING, reason: 'conversation_not_shown', retry_after_ms: null });
    agent.clock.advance(DELIVERY.min_spacing_ms + DELIVERY.spacing_jitter_ms);
    report(agent, FREE);
    expect(agent.sent).toHaveLength(1);
  });
});
