import { describe, expect, it } from 'vitest';
import { searchReading } from '../../../../local-agent/delivery/search.ts';
import type { ActionResult, ConversationReading } from '../../../../schema/contracts/bridge-frames.ts';
import { DELIVERY } from '../../../../schema/defaults.ts';
import { renewal } from '../../../support/delivery-builders.ts';
import { DeliveryFixture } from './fixture.ts';

const delivery = {
  plan_id: 'reply:m1',
  kind: 'reply',
  attempt: 2,
  conversation_id: 'c1',
  message_text: 'carry  on\nplease',
  assistant_message_id: 'a-1',
} as const;
const withPlan = (plan_id: string): ConversationReading => ({
  ...reading(),
  messages: [{ role: 'user', message_id: 'u', text: 'changed by the site', plan_id }],
});
const reading = (...messages: [role: 'user' | 'assistant', text: string, id?: string][]): ConversationReading => ({
  conversation_id: 'c1',
  source: 'site',
  messages: messages.map(([role, text, message_id = null]) => ({ role, text, message_id })),
});

describe('a search in a reading', () => {
  it.each<[string, ConversationReading | null, string]>([
    [
      'a text of the person after the message that it follows',
      reading(['assistant', 'x', 'a-1'], ['user', 'carry on please']),
      'found',
    ],
    [
      'a text of the person when the message that it follows is not in the reading',
      reading(['user', 'so: carry on please.']),
      'found',
    ],
    [
      'a text before the message that it follows',
      reading(['user', 'carry on please'], ['assistant', 'x', 'a-1']),
      'absent',
    ],
    ['a text of the person that an editor has changed', reading(['user', '\\- carry on,\n\n\tplease\\.']), 'found'],
    ['another text of the person', reading(['user', 'carry on, but differently']), 'absent'],
    ['another text that the browser remembers as the one of this plan', withPlan('reply:m1.2'), 'found'],
    ['a text of an earlier attempt of this plan', withPlan('reply:m1.1'), 'absent'],
    ['a text of the assistant', reading(['assistant', 'carry on please']), 'absent'],
    ['a text in the page’s view only', { ...reading(['user', 'carry on please']), source: 'page' }, 'unreadable'],
    [
      'a text in another conversation',
      { ...reading(['user', 'carry on please']), conversation_id: 'c2' },
      'unreadable',
    ],
    ['no reading', null, 'unreadable'],
  ])('$0 is $2', (_what, read, finding) => {
    expect(searchReading(delivery, read)).toBe(finding);
  });
});

const PRESSED = { method: 'dom', http_status: null, seen_in_page: false, duration_ms: 1 } as const;

/** An agent with one renewal that may have been sent. */
function uncertain(change: Partial<ActionResult> = {}): DeliveryFixture {
  const agent = new DeliveryFixture();
  agent.command(renewal('job_1.1'));
  agent.respond({ downstream: PRESSED, ...change });
  return agent;
}

/** Queries the plan, lets the browser respond to the reading, and returns the result of the query. */
async function query(
  agent: DeliveryFixture,
  conversation: ConversationReading | null,
  over: Partial<ActionResult> = {},
) {
  const command_id = agent.startQuery('job_1.1');
  agent.clock.advance(DELIVERY.search_delay_ms);
  const asked = agent.readings.at(-1);
  if (asked) agent.respond({ conversation, downstream: null, ...over }, asked);
  await Promise.resolve();
  await Promise.resolve();
  return { asked, result: agent.result(command_id) };
}

describe('an uncertain delivery that the edge queries', () => {
  it('an uncertain delivery that the site has was delivered, and is not sent again', async () => {
    const agent = uncertain();
    const { asked, result } = await query(agent, reading(['user', 'carry on']));
    expect(asked).toMatchObject({ conversation_id: 'c1', tab_id: 17, platform: 'chatgpt' });
    expect(result).toMatchObject({ outcome: 'delivered', reason: 'found_in_conversation' });
    expect(agent.sent).toHaveLength(1);
  });

  it.each<[string, Partial<ActionResult>]>([
    ['the site did not respond', { reason: 'no_response' }],
    ['the site did not acknowledge it', { reason: 'no_acknowledgement', downstream: { ...PRESSED, http_status: 200 } }],
  ])('has failed when the site does not show it a minute later, and not before, and %s', async (_why, change) => {
    const agent = uncertain({ failed: true, ...change });
    const absent = reading(['user', 'something else']);
    for (let asked = 0; asked < 2; asked += 1) {
      expect((await query(agent, absent)).result).toMatchObject({ outcome: 'uncertain', reason: change.reason });
    }
    agent.clock.advance(DELIVERY.search_again_ms);
    const failed = { outcome: 'failed', reason: 'not_found_in_conversation' };
    expect((await query(agent, absent)).result).toMatchObject(failed);
    agent.restart();
    expect(agent.query('job_1.1')).toMatchObject(failed);
    expect(agent.sent).toHaveLength(1);
  });

  it('stays uncertain when another text left the page, which may be this one as the page has changed it', async () => {
    const agent = uncertain({ failed: true, reason: 'other_text_sent' });
    agent.clock.advance(DELIVERY.search_again_ms);
    const { result } = await query(agent, reading(['user', 'something else']));
    expect(result).toMatchObject({ outcome: 'uncertain', reason: 'other_text_sent' });
  });

  it('an uncertain delivery that the site shows late was delivered', async () => {
    const agent = uncertain();
    await query(agent, reading(['assistant', 'x']));
    const { result } = await query(agent, reading(['assistant', 'x'], ['user', 'carry on']));
    expect(result).toMatchObject({ outcome: 'delivered', reason: 'found_in_conversation' });
  });

  it.each<[string, ConversationReading | null, Partial<ActionResult>]>([
    ['the browser only sees its page', { ...reading(), source: 'page' }, {}],
    ['the browser refuses', null, { accepted: false, failed: true, reason: 'no_page' }],
    ['the browser reads nothing', null, {}],
  ])('an uncertain delivery stays uncertain when %s', async (_what, conversation, over) => {
    const agent = uncertain();
    const { result } = await query(agent, conversation, over);
    expect(result).toMatchObject({ outcome: 'uncertain' });
    expect(agent.sent).toHaveLength(1);
  });

  it('an uncertain delivery stays uncertain without a browser, or with one that does not respond', async () => {
    const away = uncertain();
    away.connected.clear();
    expect((await query(away, null)).result).toMatchObject({ outcome: 'uncertain' });

    const silent = uncertain();
    const command_id = silent.startQuery('job_1.1');
    silent.clock.advance(DELIVERY.search_delay_ms + DELIVERY.search_timeout_ms);
    await Promise.resolve();
    expect(silent.result(command_id)).toMatchObject({ outcome: 'uncertain' });
  });

  it('an uncertain delivery is not searched for before the site had time to show it', () => {
    const agent = uncertain();
    agent.startQuery('job_1.1');
    agent.clock.advance(DELIVERY.search_delay_ms - 1);
    expect(agent.readings).toEqual([]);
    agent.clock.advance(1);
    expect(agent.readings).toHaveLength(1);
  });
});
