import { describe, expect, it } from 'vitest';
import { AGENT_KEEPS, DELIVERY } from '../../../../schema/defaults.ts';
import { DeliveryFixture, renewal, reply } from './fixture.ts';

describe('renewals', () => {
  it('sends the command’s text under its plan and reports the result of that command', () => {
    const agent = new DeliveryFixture();
    const { command_id } = agent.command(renewal('job_1.1'));
    expect(agent.sent).toMatchObject([{ plan_id: 'job_1.1', message_text: 'carry on', timeout_ms: 20_000 }]);
    agent.answer();
    expect(agent.told('command_result')).toEqual([
      {
        path: `/v1/commands/${command_id}/result`,
        stream: 'node',
        body: {
          controller_id: 'node-a',
          result: { outcome: 'delivered', reason: null, method: 'replay', http_status: 200, retry_after_ms: null },
        },
      },
    ]);
  });

  it('waits a moment for a browser that reconnects after a restart', () => {
    const agent = new DeliveryFixture();
    agent.connected.clear();
    agent.restart();
    const { command_id } = agent.command(renewal('job_1.1'));
    expect(agent.result(command_id)).toBeNull();
    agent.connected.add('firefox-1');
    agent.manager.wake();
    agent.clock.advance(0);
    expect(agent.sent).toHaveLength(1);
  });

  it('fails when the browser has not come back after that moment', () => {
    const agent = new DeliveryFixture();
    agent.connected.clear();
    agent.manager.onDisconnected('firefox-1');
    const { command_id } = agent.command(renewal('job_1.1'));
    agent.clock.advance(DELIVERY.reconnect_grace_ms);
    expect(agent.result(command_id)).toMatchObject({ outcome: 'failed', reason: 'no_active_client' });
  });

  it('fails at once without a browser', () => {
    const agent = new DeliveryFixture();
    agent.connected.clear();
    agent.clock.advance(DELIVERY.reconnect_grace_ms);
    const { command_id } = agent.command(renewal('job_1.1'));
    expect(agent.result(command_id)).toMatchObject({ outcome: 'failed', reason: 'no_active_client' });
  });

  it('passes on what the browser refused, and when to come back', () => {
    const agent = new DeliveryFixture();
    const { command_id } = agent.command(renewal('job_1.1'));
    agent.answer({ accepted: false, failed: true, reason: 'streaming', retry_after_ms: 7_000, downstream: null });
    expect(agent.result(command_id)).toMatchObject({ outcome: 'deferred', reason: 'streaming', retry_after_ms: 7_000 });
  });

  it('sends a deferred plan when the edge asks again, and answers that command', () => {
    const agent = new DeliveryFixture();
    agent.command(renewal('job_1.1'));
    agent.answer({ accepted: false, failed: true, reason: 'streaming', retry_after_ms: 7_000, downstream: null });
    agent.clock.advance(7_000);
    const { command_id } = agent.command(renewal('job_1.1'));
    expect(agent.sent).toHaveLength(2);
    agent.answer();
    expect(agent.result(command_id)).toMatchObject({ outcome: 'delivered' });
  });

  it('answers a plan that was delivered from its table and sends it no second time, also after a restart', () => {
    const agent = new DeliveryFixture();
    agent.command(renewal('job_1.1'));
    agent.answer();
    agent.restart();
    const { command_id } = agent.command(renewal('job_1.1'));
    expect(agent.result(command_id)).toMatchObject({ outcome: 'delivered' });
    expect(agent.sent).toHaveLength(1);
  });

  it('is remembered for a week and then forgotten, however long the agent runs', () => {
    const agent = new DeliveryFixture();
    agent.command(renewal('job_1.1'));
    agent.answer();
    agent.clock.advance(DELIVERY.keep_answered_ms);
    expect(agent.query('job_1.1')).toMatchObject({ outcome: 'delivered' });
    agent.clock.advance(AGENT_KEEPS.look_interval_ms);
    expect(agent.query('job_1.1')).toEqual({ outcome: 'unknown' });
  });

  it('is uncertain after a crash in the middle, and is told so without being asked', () => {
    const agent = new DeliveryFixture();
    const { command_id } = agent.command(renewal('job_1.1'));
    agent.restart();
    expect(agent.result(command_id)).toMatchObject({ outcome: 'uncertain', reason: 'agent_restarted' });
    expect(agent.sent).toHaveLength(1);
  });

  it('is deferred when its slot would make it wait too long', () => {
    const agent = new DeliveryFixture();
    agent.enqueue(reply('msg_1', 'c2'));
    agent.answer({
      failed: true,
      reason: 'rate_limited',
      retry_after_ms: 90_000,
      downstream: { method: 'replay', http_status: 429, seen_in_page: false, duration_ms: 1 },
    });
    const { command_id } = agent.command(renewal('job_1.1'));
    expect(agent.result(command_id)).toMatchObject({ outcome: 'deferred', reason: 'backoff', retry_after_ms: 90_000 });
  });

  it('waits for its conversation, but not for ever', () => {
    const agent = new DeliveryFixture();
    agent.enqueue(reply('msg_1'));
    const { command_id } = agent.command(renewal('job_1.1'));
    agent.clock.advance(DELIVERY.renewal_wait_ms - 1);
    expect(agent.result(command_id)).toBeNull();
    agent.clock.advance(1);
    expect(agent.result(command_id)).toMatchObject({ outcome: 'deferred', reason: 'conversation_busy' });
    expect(agent.sent).toHaveLength(1);
  });

  it('goes after a reply that came later', () => {
    const agent = new DeliveryFixture();
    agent.enqueue(reply('msg_0', 'c0'));
    agent.answer();
    agent.command(renewal('job_1.1', 'c1'));
    agent.enqueue(reply('msg_2', 'c2'));
    agent.clock.advance(2_000);
    expect(agent.sent.map((frame) => frame.plan_id)).toEqual(['reply:msg_0.1', 'reply:msg_2.1']);
    agent.clock.advance(2_000);
    expect(agent.sent.at(-1)?.plan_id).toBe('job_1.1');
  });

  it('says what it knows of a plan', () => {
    const agent = new DeliveryFixture();
    expect(agent.query('job_1.1')).toEqual({ outcome: 'unknown' });
    agent.command(renewal('job_1.1'));
    expect(agent.query('job_1.1')).toEqual({ outcome: 'in_flight' });
    agent.answer();
    expect(agent.query('job_1.1')).toMatchObject({ outcome: 'delivered', method: 'replay' });
  });
});

describe('pacing', () => {
  it('keeps an open breaker and its backoff over a restart', () => {
    const agent = new DeliveryFixture();
    for (let n = 0; n < DELIVERY.breaker_failures; n += 1) {
      agent.command(renewal(`job_${n}.1`, `c${n}`));
      if (agent.sent.length <= n) throw new Error('not sent');
      agent.answer({
        failed: true,
        reason: 'http_500',
        downstream: { method: 'replay', http_status: 500, seen_in_page: false, duration_ms: 1 },
      });
      if (n < DELIVERY.breaker_failures - 1) agent.clock.advance(DELIVERY.retry_max_ms);
    }
    expect(agent.manager.targets()).toMatchObject([{ breaker: 'open', failures: 5, last_activity_reason: 'http_500' }]);
    agent.restart();
    const blocked = agent.command(renewal('job_x.1', 'cx'));
    expect(agent.result(blocked.command_id)).toMatchObject({
      outcome: 'deferred',
      reason: 'breaker_open',
      retry_after_ms: DELIVERY.breaker_open_ms,
    });
    agent.clock.advance(Math.max(DELIVERY.breaker_open_ms, DELIVERY.retry_max_ms));
    agent.command(renewal('job_y.1', 'cy'));
    agent.answer();
    expect(agent.manager.targets()).toMatchObject([{ breaker: 'closed', failures: 0 }]);
  });

  it('counts what a dead process left in its slots as swept', () => {
    const agent = new DeliveryFixture();
    agent.command(renewal('job_1.1'));
    agent.restart();
    expect(agent.manager.targets()).toMatchObject([
      { in_flight: 0, stale_sweep_count: 1, last_stale_sweep_at: agent.clock.now() },
    ]);
  });
});
