import { describe, expect, it } from 'vitest';
import { lookFor } from '../../../../local-agent/delivery/search.ts';
import type { ActionResult, ConversationReading } from '../../../../schema/contracts/bridge-frames.ts';
import { DELIVERY } from '../../../../schema/defaults.ts';
import { DeliveryFixture, renewal } from './fixture.ts';

const sought = { conversation_id: 'c1', message_text: 'carry  on\nplease', assistant_message_id: 'a-1' };
const reading = (...messages: [role: 'user' | 'assistant', text: string, id?: string][]): ConversationReading => ({
  conversation_id: 'c1',
  source: 'site',
  messages: messages.map(([role, text, message_id = null]) => ({ role, text, message_id })),
});

describe('looking for a text', () => {
  it.each<[string, ConversationReading | null, string]>([
    [
      'said by the person after what it answers',
      reading(['assistant', 'x', 'a-1'], ['user', 'carry on please']),
      'found',
    ],
    ['with the answered message out of sight', reading(['user', 'so: carry on please.']), 'found'],
    ['said before it', reading(['user', 'carry on please'], ['assistant', 'x', 'a-1']), 'absent'],
    ['said by the assistant', reading(['assistant', 'carry on please']), 'absent'],
    ['in the view alone', { ...reading(['user', 'carry on please']), source: 'page' }, 'unreadable'],
    ['in another conversation', { ...reading(['user', 'carry on please']), conversation_id: 'c2' }, 'unreadable'],
    ['that nobody could read', null, 'unreadable'],
  ])('%s', (_what, found, finding) => {
    expect(lookFor(sought, found)).toBe(finding);
  });
});

/** One renewal of which nobody knows whether it was sent. */
function uncertain(): DeliveryFixture {
  const agent = new DeliveryFixture();
  agent.command(renewal('job_1.1'));
  agent.answer({ downstream: { method: 'dom', http_status: null, seen_in_page: false, duration_ms: 1 } });
  return agent;
}

/** Asks the agent, lets the browser answer, and gives what the edge is told. */
async function ask(agent: DeliveryFixture, conversation: ConversationReading | null, over: Partial<ActionResult> = {}) {
  const command_id = agent.ask('job_1.1');
  agent.clock.advance(DELIVERY.search_settle_ms);
  const asked = agent.frames.findLast((frame) => frame.type === 'browser.read_current');
  if (asked) agent.answerTo(asked, { conversation, downstream: null, ...over });
  await Promise.resolve();
  await Promise.resolve();
  return { asked, told: agent.result(command_id) };
}

describe('an uncertain delivery that the edge asks about', () => {
  it('was delivered when the site has it, and is never sent again', async () => {
    const agent = uncertain();
    const { asked, told } = await ask(agent, reading(['user', 'carry on']));
    expect(asked).toMatchObject({ conversation_id: 'c1', tab_id: 17, platform: 'chatgpt' });
    expect(told).toMatchObject({ outcome: 'delivered', reason: 'found_in_conversation' });
    expect(agent.sent).toHaveLength(1);
  });

  it('has failed when the site does not have it, also after a restart', async () => {
    const agent = uncertain();
    const { told } = await ask(agent, reading(['user', 'something else']));
    expect(told).toMatchObject({ outcome: 'failed', reason: 'not_found_in_conversation' });
    agent.restart();
    expect(agent.query('job_1.1')).toMatchObject({ outcome: 'failed', reason: 'not_found_in_conversation' });
  });

  it.each<[string, ConversationReading | null, Partial<ActionResult>]>([
    ['the browser only sees its page', { ...reading(), source: 'page' }, {}],
    ['the browser refuses', null, { accepted: false, failed: true, reason: 'no_page' }],
    ['the browser reads nothing', null, {}],
  ])('stays uncertain when %s', async (_what, conversation, over) => {
    const agent = uncertain();
    const { told } = await ask(agent, conversation, over);
    expect(told).toMatchObject({ outcome: 'uncertain' });
    expect(agent.sent).toHaveLength(1);
  });

  it('stays uncertain without a browser, or with one that never answers', async () => {
    const away = uncertain();
    away.connected.clear();
    expect((await ask(away, null)).told).toMatchObject({ outcome: 'uncertain' });

    const silent = uncertain();
    const command_id = silent.ask('job_1.1');
    silent.clock.advance(DELIVERY.search_settle_ms + DELIVERY.search_timeout_ms);
    await Promise.resolve();
    expect(silent.result(command_id)).toMatchObject({ outcome: 'uncertain' });
  });

  it('is not looked for before the site had a moment to show it', () => {
    const agent = uncertain();
    agent.ask('job_1.1');
    agent.clock.advance(DELIVERY.search_settle_ms - 1);
    expect(agent.frames.filter((frame) => frame.type === 'browser.read_current')).toEqual([]);
    agent.clock.advance(1);
    expect(agent.frames.filter((frame) => frame.type === 'browser.read_current')).toHaveLength(1);
  });
});
