/** The end of a task, reported into the chat that created it. */
import { describe, expect, it } from 'vitest';
import { renewal, taskNotice } from '../../../support/delivery-builders.ts';
import { DeliveryFixture } from './fixture.ts';

describe('a notice of a task', () => {
  it('is sent into its conversation, and the edge gets the result', () => {
    const agent = new DeliveryFixture();
    const { command_id } = agent.notice(taskNotice('notice_1.1', { message_text: 'The task has ended.' }));
    expect(agent.sent).toMatchObject([{ plan_id: 'notice_1.1', message_text: 'The task has ended.' }]);
    agent.respond();
    expect(agent.result(command_id)).toMatchObject({ outcome: 'delivered' });
  });

  it('is sent once, however often the edge asks, also after a restart', () => {
    const agent = new DeliveryFixture();
    agent.notice(taskNotice('notice_1.1'));
    agent.respond();
    agent.restart();
    const { command_id } = agent.notice(taskNotice('notice_1.1'));
    expect(agent.sent).toHaveLength(1);
    expect(agent.result(command_id)).toMatchObject({ outcome: 'delivered' });
  });

  it('waits behind what is being sent into the same browser', () => {
    const agent = new DeliveryFixture();
    agent.command(renewal('job_1.1'));
    agent.notice(taskNotice('notice_1.1'));
    expect(agent.sent.map(({ plan_id }) => plan_id)).toEqual(['job_1.1']);
  });

  it('without a browser fails with the reason', () => {
    const agent = new DeliveryFixture();
    agent.connected.clear();
    agent.clock.advance(60_000);
    const { command_id } = agent.notice(taskNotice('notice_1.1'));
    expect(agent.result(command_id)).toMatchObject({ outcome: 'failed', reason: 'no_active_client' });
  });
});
