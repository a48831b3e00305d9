import { describe, expect, it } from 'vitest';
import type { PromptEnd } from '../../../../local-agent/delivery/finish.ts';
import { DELIVERY } from '../../../../schema/defaults.ts';
import { prompt, reply } from '../../../support/delivery-builders.ts';
import { DeliveryFixture } from './fixture.ts';

class PromptFixture extends DeliveryFixture {
  readonly ends: PromptEnd[] = [];

  prompt(id = 'ins_1', requestedBy: PromptEnd['subject_kind'] = 'instruction'): void {
    this.store.transaction(() => this.manager.enqueuePrompt(prompt(id), requestedBy));
    this.clock.advance(0);
  }

  listen(): void {
    this.manager.promptEnded.on((end) => {
      expect(this.store.db.isTransaction).toBe(true);
      this.ends.push(end);
    });
  }
}

function prompting(): PromptFixture {
  const agent = new PromptFixture();
  agent.listen();
  return agent;
}

describe('prompts', () => {
  it.each(['instruction', 'command'] as const)('the end of a prompt names the %s that requested it', (requestedBy) => {
    const agent = prompting();
    agent.prompt('subject-1', requestedBy);
    expect(agent.sent).toMatchObject([{ plan_id: 'subject-1', message_text: 'please review' }]);
    agent.respond();
    expect(agent.ends).toMatchObject([
      { subject_kind: requestedBy, subject_id: 'subject-1', result: { outcome: 'delivered' } },
    ]);
    expect([agent.reported('reply'), agent.reported('command_result')]).toEqual([[], []]);
  });

  it('a prompt fails when its browser stays away', () => {
    const agent = prompting();
    agent.connected.clear();
    agent.prompt();
    agent.clock.advance(DELIVERY.reconnect_grace_ms);
    expect(agent.ends).toMatchObject([{ result: { outcome: 'failed', reason: 'no_active_client' } }]);
  });

  it('a prompt that a crash interrupts is uncertain and not sent again', () => {
    const agent = prompting();
    agent.prompt();
    agent.restart();
    expect(agent.store.db.prepare('SELECT outcome FROM deliveries').all()).toEqual([{ outcome: 'uncertain' }]);
    agent.listen();
    agent.prompt();
    agent.clock.advance(60_000);
    expect([agent.sent.length, agent.ends.length]).toEqual([1, 0]);
  });

  it('a prompt leaves after a reply that was queued later, and by deadline among prompts and renewals', () => {
    const agent = prompting();
    agent.enqueue({ ...reply('msg_0'), conversation_id: 'c0' });
    agent.respond();
    agent.store.transaction(() => {
      agent.manager.enqueuePrompt({ ...prompt('late'), conversation_id: 'c1', timeout_ms: 30_000 }, 'instruction');
      agent.manager.enqueuePrompt({ ...prompt('soon'), conversation_id: 'c2', timeout_ms: 10_000 }, 'instruction');
      agent.manager.enqueueReply({ ...reply('msg_1'), conversation_id: 'c3' });
    });
    for (let n = 0; n < 3; n += 1) {
      agent.clock.advance(DELIVERY.min_spacing_ms + DELIVERY.spacing_jitter_ms);
      agent.respond();
    }
    expect(agent.sent.map(({ plan_id }) => plan_id)).toEqual(['reply:msg_0.1', 'reply:msg_1.1', 'soon', 'late']);
  });
});
