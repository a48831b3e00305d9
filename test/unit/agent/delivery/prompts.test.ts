import { describe, expect, it } from 'vitest';
import type { PromptEnd } from '../../../../local-agent/delivery/prompts.ts';
import { promptPlan } from '../../../../local-agent/delivery/prompts.ts';
import { DELIVERY } from '../../../../schema/defaults.ts';
import { DeliveryFixture, reply } from './fixture.ts';

function prompting() {
  const agent = new DeliveryFixture();
  const ends: PromptEnd[] = [];
  const listen = () => agent.manager.promptEnded.on((end) => ends.push(end));
  listen();
  const prompt = { ...reply('ins_1'), plan_id: promptPlan('ins_1'), message_text: 'please review' };
  return { agent, ends, listen, prompt };
}

describe('prompts', () => {
  it('are sent like any delivery and end for who asked, with nothing told to the edge from here', () => {
    const { agent, ends, prompt } = prompting();
    agent.store.transaction(() => agent.manager.enqueuePrompt(prompt));
    agent.clock.advance(0);
    expect(agent.sent).toMatchObject([{ message_text: 'please review' }]);
    agent.answer();
    expect(ends).toMatchObject([{ subject_id: 'ins_1', result: { outcome: 'delivered' } }]);
    expect([agent.told('reply'), agent.told('command_result')]).toEqual([[], []]);
  });

  it('end when the browser stays away', () => {
    const { agent, ends, prompt } = prompting();
    agent.connected.clear();
    agent.store.transaction(() => agent.manager.enqueuePrompt(prompt));
    agent.clock.advance(DELIVERY.reconnect_grace_ms);
    expect(ends).toMatchObject([{ result: { outcome: 'failed', reason: 'no_active_client' } }]);
  });

  it('are uncertain after a restart in the middle, and not sent again', () => {
    const { agent, ends, listen, prompt } = prompting();
    agent.store.transaction(() => agent.manager.enqueuePrompt(prompt));
    agent.clock.advance(0);
    agent.restart();
    expect(agent.store.db.prepare('SELECT outcome FROM deliveries').all()).toEqual([{ outcome: 'uncertain' }]);
    listen();
    agent.store.transaction(() => agent.manager.enqueuePrompt(prompt));
    agent.clock.advance(60_000);
    expect([agent.sent.length, ends.length]).toEqual([1, 0]);
  });
});
