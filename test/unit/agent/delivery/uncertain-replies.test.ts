/**
 * A reply of which no result has come. Its browser is given the same plan again, which it never sends twice; when the
 * browser does not know what became of it, the conversation is searched, twice, and it is never sent again.
 */
import { describe, expect, it } from 'vitest';
import type { ActionResult, ConversationReading } from '../../../../schema/contracts/bridge-frames.ts';
import { DELIVERY, INSTRUCTION } from '../../../../schema/defaults.ts';
import { reply } from '../../../support/delivery-builders.ts';
import { DeliveryFixture } from './fixture.ts';

const STORED_UNSENT: Partial<ActionResult> = {
  accepted: false,
  failed: true,
  reason: 'connection_lost',
  downstream: null,
};
const STORED_UNCERTAIN: Partial<ActionResult> = {
  failed: true,
  reason: 'interrupted_after_send',
  downstream: { method: 'dom', http_status: null, seen_in_page: false, duration_ms: 1 },
};
const NO_PLANS: Partial<ActionResult> = {
  accepted: false,
  failed: true,
  reason: 'storage_not_available',
  retry_after_ms: 10_000,
  downstream: null,
};
const plans = (agent: DeliveryFixture) => agent.sent.map(({ plan_id }) => plan_id);

function reconnect(agent: DeliveryFixture): void {
  agent.connected.delete('firefox-1');
  agent.manager.onDisconnected('firefox-1');
  agent.connect('firefox-1');
}

/** Lets time pass until one more delivery leaves. */
function untilSent(agent: DeliveryFixture): void {
  const before = agent.sent.length;
  for (let step = 0; step < 60 && agent.sent.length === before; step += 1) agent.clock.advance(1_000);
  expect(agent.sent).toHaveLength(before + 1);
}

/** Three ways in which no result comes. */
const SILENCES: [why: string, happens: (agent: DeliveryFixture) => void][] = [
  ['its socket is lost', (agent) => reconnect(agent)],
  ['the agent is killed', (agent) => agent.restart()],
  ['it times out', (agent) => agent.clock.advance(20_000)],
];

function sent(): DeliveryFixture {
  const agent = new DeliveryFixture();
  agent.enqueue(reply('msg_1'));
  return agent;
}

describe.each(SILENCES)('a reply without a result, because %s,', (_why, happens) => {
  function asked(): DeliveryFixture {
    const agent = sent();
    happens(agent);
    untilSent(agent);
    expect(plans(agent)).toEqual(['reply:msg_1.1', 'reply:msg_1.1']);
    expect(agent.reported('reply')).toEqual([]);
    return agent;
  }

  it('is asked for under the same plan, and delivered when its browser has stored that', () => {
    const agent = asked();
    agent.respond();
    expect(agent.reported('reply')).toMatchObject([{ body: { outcome: 'delivered', attempt: 1 } }]);
    agent.clock.advance(INSTRUCTION.reply_give_up_ms);
    expect(plans(agent)).not.toContain('reply:msg_1.2');
  });

  it('is sent under the next plan when its browser has stored that it was not sent', () => {
    const agent = asked();
    agent.respond(STORED_UNSENT);
    untilSent(agent);
    expect(plans(agent).at(-1)).toBe('reply:msg_1.2');
    agent.respond();
    expect(agent.reported('reply')).toMatchObject([{ body: { outcome: 'delivered', attempt: 2 } }]);
  });

  it('is searched for when its browser does not know', () => {
    const agent = asked();
    agent.respond(STORED_UNCERTAIN);
    agent.clock.advance(DELIVERY.search_delay_ms);
    expect(agent.readings).toMatchObject([{ conversation_id: 'c1', client_id: 'firefox-1' }]);
  });
});

describe('a reply whose browser cannot read its plans', () => {
  it('is asked for again, under the same plan and when the browser has said, until that knows', () => {
    const agent = sent();
    reconnect(agent);
    untilSent(agent);
    agent.respond(NO_PLANS);
    agent.clock.advance(9_999);
    expect(agent.sent).toHaveLength(2);
    untilSent(agent);
    agent.respond();
    expect(plans(agent)).toEqual(['reply:msg_1.1', 'reply:msg_1.1', 'reply:msg_1.1']);
    expect(agent.reported('reply')).toMatchObject([{ body: { outcome: 'delivered', attempt: 1 } }]);
  });

  it('is searched for after ten minutes, and not given up as if nothing had been sent', async () => {
    const agent = sent();
    reconnect(agent);
    for (let second = 0; second < 600; second += 1) {
      if (agent.sent.length > 1) agent.respond(NO_PLANS);
      agent.clock.advance(1_000);
    }
    expect(agent.reported('reply')).toEqual([]);
    agent.clock.advance(DELIVERY.search_delay_ms);
    expect(agent.readings).toHaveLength(1);
    await reads(agent, reading(['assistant', 'x']));
    await readsAgain(agent, reading(['assistant', 'x']));
    expect(agent.reported('reply')).toMatchObject([{ body: { outcome: 'uncertain' } }]);
    expect(new Set(plans(agent))).toEqual(new Set(['reply:msg_1.1']));
  });

  it('is given up when nothing can have been sent', () => {
    const agent = sent();
    for (let second = 0; second < 600; second += 1) {
      agent.respond(NO_PLANS);
      agent.clock.advance(1_000);
    }
    expect(agent.reported('reply')).toMatchObject([{ body: { outcome: 'given_up', reason: 'storage_not_available' } }]);
  });
});

describe('a reply whose browser stays away', () => {
  it('is uncertain after ten minutes, and not given up as if nothing had been sent', async () => {
    const agent = sent();
    agent.connected.clear();
    agent.manager.onDisconnected('firefox-1');
    agent.clock.advance(INSTRUCTION.reply_give_up_ms - 1);
    expect(agent.reported('reply')).toEqual([]);
    agent.clock.advance(1 + DELIVERY.search_delay_ms);
    await settled();
    agent.clock.advance(DELIVERY.search_again_ms);
    await settled();
    expect(agent.reported('reply')).toMatchObject([{ body: { outcome: 'uncertain', reason: 'no_active_client' } }]);
    agent.connect('firefox-1');
    expect(agent.sent).toHaveLength(1);
  });

  it('is asked for after the agent was restarted as well', () => {
    const agent = sent();
    agent.connected.clear();
    agent.restart();
    agent.restart();
    agent.clock.advance(60_000);
    agent.connect('firefox-1');
    expect(plans(agent)).toEqual(['reply:msg_1.1', 'reply:msg_1.1']);
  });
});

const reading = (...messages: [role: 'user' | 'assistant', text: string][]): ConversationReading => ({
  conversation_id: 'c1',
  source: 'site',
  messages: messages.map(([role, text]) => ({ role, text, message_id: null })),
});
/** The reading's promise and what follows it. */
const settled = async () => {
  for (let turn = 0; turn < 4; turn += 1) await Promise.resolve();
};

/** A reply of which its browser does not know whether it was sent; the conversation is being read. */
function sought(result = STORED_UNCERTAIN): DeliveryFixture {
  const agent = sent();
  agent.respond(result);
  expect(agent.readings).toEqual([]);
  agent.clock.advance(DELIVERY.search_delay_ms);
  expect(agent.readings).toHaveLength(1);
  return agent;
}

async function reads(agent: DeliveryFixture, conversation: ConversationReading | null): Promise<void> {
  agent.respond({ conversation, downstream: null }, agent.readings.at(-1));
  await settled();
  agent.clock.advance(0);
}

/** The second reading, after the first did not show the reply. */
async function readsAgain(agent: DeliveryFixture, conversation: ConversationReading | null): Promise<void> {
  const before = agent.readings.length;
  agent.clock.advance(DELIVERY.search_again_ms - 1);
  expect(agent.readings).toHaveLength(before);
  expect(agent.reported('reply')).toEqual([]);
  agent.clock.advance(1);
  expect(agent.readings).toHaveLength(before + 1);
  await reads(agent, conversation);
}

describe('a reply that its browser may have sent', () => {
  it('is delivered when the conversation has it, and not sent again', async () => {
    const agent = sought();
    await reads(agent, reading(['assistant', 'x'], ['user', 'reply to  msg_1']));
    expect(agent.reported('reply')).toMatchObject([
      { body: { outcome: 'delivered', reason: 'found_in_conversation' } },
    ]);
    agent.clock.advance(INSTRUCTION.reply_give_up_ms);
    expect(agent.sent).toHaveLength(1);
  });

  it('is delivered when the conversation shows it late, as that of an overloaded site', async () => {
    const agent = sought();
    await reads(agent, reading(['assistant', 'x']));
    await readsAgain(agent, reading(['assistant', 'x'], ['user', 'reply to msg_1']));
    expect(agent.reported('reply')).toMatchObject([
      { body: { outcome: 'delivered', reason: 'found_in_conversation', attempt: 1 } },
    ]);
    agent.clock.advance(INSTRUCTION.reply_give_up_ms);
    expect(agent.sent).toHaveLength(1);
  });

  it.each<[string, Partial<ActionResult>]>([
    ['the site did not respond', { reason: 'no_response' }],
    [
      'the site did not acknowledge it',
      {
        reason: 'no_acknowledgement',
        downstream: { method: 'dom', http_status: 200, seen_in_page: false, duration_ms: 1 },
      },
    ],
    ['no request was seen', { reason: 'no_request_seen' }],
    ['another text left the page, which may be this one as the page has changed it', { reason: 'other_text_sent' }],
  ])('is never sent again although the site does not show it, when %s', async (_why, change) => {
    const agent = sought({ ...STORED_UNCERTAIN, ...change });
    await reads(agent, reading(['assistant', 'x']));
    await readsAgain(agent, reading(['user', 'reply in other letters']));
    expect(agent.reported('reply')).toMatchObject([
      { body: { outcome: 'uncertain', reason: change.reason, attempt: 1 } },
    ]);
    agent.clock.advance(INSTRUCTION.reply_give_up_ms);
    agent.restart();
    agent.clock.advance(INSTRUCTION.reply_give_up_ms);
    expect(plans(agent)).toEqual(['reply:msg_1.1']);
  });

  it.each([
    ['only the page’s view was read', { ...reading(), source: 'page' } as const],
    ['nothing could be read', null],
  ])('stays uncertain and is never sent again when %s', async (_what, conversation) => {
    const agent = sought();
    await reads(agent, conversation);
    await readsAgain(agent, conversation);
    expect(agent.reported('reply')).toMatchObject([
      { body: { outcome: 'uncertain', reason: 'interrupted_after_send' } },
    ]);
    agent.clock.advance(INSTRUCTION.reply_give_up_ms);
    agent.restart();
    expect(agent.sent).toHaveLength(1);
  });

  it('holds its conversation until the search has ended', async () => {
    const agent = sought();
    agent.enqueue(reply('msg_2'));
    agent.clock.advance(DELIVERY.min_spacing_ms + DELIVERY.spacing_jitter_ms);
    expect(agent.sent).toHaveLength(1);
    await reads(agent, reading(['user', 'reply to msg_1']));
    untilSent(agent);
    expect(plans(agent).at(-1)).toBe('reply:msg_2.1');
  });

  it.each<[string, (agent: DeliveryFixture) => void]>([
    ['its socket is lost', (agent) => reconnect(agent)],
    ['the agent is killed', (agent) => agent.restart()],
  ])('is asked for again when, during the search, %s', async (_what, happens) => {
    const agent = sought();
    happens(agent);
    await settled();
    untilSent(agent);
    expect(plans(agent)).toEqual(['reply:msg_1.1', 'reply:msg_1.1']);
    expect(agent.reported('reply')).toEqual([]);
    agent.respond();
    expect(agent.reported('reply')).toMatchObject([{ body: { outcome: 'delivered' } }]);
  });
});
