import { describe, expect, it } from 'vitest';
import { AGENT_KEEPS, DELIVERY } from '../../../../schema/defaults.ts';
import { renewal, reply } from '../../../support/delivery-builders.ts';
import { DeliveryFixture } from './fixture.ts';

describe('renewals', () => {
  it('a renewal is sent under its plan, and its result is that of its command', () => {
    const agent = new DeliveryFixture();
    const { command_id } = agent.command(renewal('job_1.1'));
    expect(agent.sent).toMatchObject([{ plan_id: 'job_1.1', message_text: 'carry on', timeout_ms: 20_000 }]);
    agent.respond();
    expect(agent.reported('command_result')).toEqual([
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

  it('a renewal waits a moment for a browser that reconnects after a restart', () => {
    const agent = new DeliveryFixture();
    agent.connected.clear();
    agent.restart();
    const { command_id } = agent.command(renewal('job_1.1'));
    expect(agent.result(command_id)).toBeNull();
    agent.connect('firefox-1');
    expect(agent.sent).toHaveLength(1);
  });

  it('a renewal fails when its browser has not reconnected after that moment', () => {
    const agent = new DeliveryFixture();
    agent.connected.clear();
    agent.manager.onDisconnected('firefox-1');
    const { command_id } = agent.command(renewal('job_1.1'));
    agent.clock.advance(DELIVERY.reconnect_grace_ms);
    expect(agent.result(command_id)).toMatchObject({ outcome: 'failed', reason: 'no_active_client' });
  });

  it('a renewal without a browser fails at once', () => {
    const agent = new DeliveryFixture();
    agent.connected.clear();
    agent.clock.advance(DELIVERY.reconnect_grace_ms);
    const { command_id } = agent.command(renewal('job_1.1'));
    expect(agent.result(command_id)).toMatchObject({ outcome: 'failed', reason: 'no_active_client' });
  });

  it('a renewal that the browser refuses is deferred, with the browser’s reason and delay', () => {
    const agent = new DeliveryFixture();
    const { command_id } = agent.command(renewal('job_1.1'));
    agent.respond({ accepted: false, failed: true, reason: 'streaming', retry_after_ms: 7_000, downstream: null });
    expect(agent.result(command_id)).toMatchObject({ outcome: 'deferred', reason: 'streaming', retry_after_ms: 7_000 });
  });

  it('a deferred plan is sent when the edge asks again, and the newer command gets the result', () => {
    const agent = new DeliveryFixture();
    agent.command(renewal('job_1.1'));
    agent.respond({ accepted: false, failed: true, reason: 'streaming', retry_after_ms: 7_000, downstream: null });
    agent.clock.advance(7_000);
    const { command_id } = agent.command(renewal('job_1.1'));
    expect(agent.sent).toHaveLength(2);
    agent.respond();
    expect(agent.result(command_id)).toMatchObject({ outcome: 'delivered' });
  });

  it('a delivered plan gets its stored result and is not sent again, also after a restart', () => {
    const agent = new DeliveryFixture();
    agent.command(renewal('job_1.1'));
    agent.respond();
    agent.restart();
    const { command_id } = agent.command(renewal('job_1.1'));
    expect(agent.result(command_id)).toMatchObject({ outcome: 'delivered' });
    expect(agent.sent).toHaveLength(1);
  });

  it('an ended renewal is kept for a week and then deleted while the agent runs', () => {
    const agent = new DeliveryFixture();
    agent.command(renewal('job_1.1'));
    agent.respond();
    agent.clock.advance(DELIVERY.keep_ended_ms);
    expect(agent.query('job_1.1')).toMatchObject({ outcome: 'delivered' });
    agent.clock.advance(AGENT_KEEPS.look_interval_ms);
    expect(agent.query('job_1.1')).toEqual({ outcome: 'unknown' });
  });

  it('a renewal that a crash interrupts is reported as uncertain without a query', () => {
    const agent = new DeliveryFixture();
    const { command_id } = agent.command(renewal('job_1.1'));
    agent.restart();
    expect(agent.result(command_id)).toMatchObject({ outcome: 'uncertain', reason: 'agent_restarted' });
    expect(agent.sent).toHaveLength(1);
  });

  it('a renewal whose slot is blocked for too long is deferred', () => {
    const agent = new DeliveryFixture();
    agent.enqueue(reply('msg_1', 'c2'));
    agent.respond({
      failed: true,
      reason: 'rate_limited',
      retry_after_ms: 90_000,
      downstream: { method: 'replay', http_status: 429, seen_in_page: false, duration_ms: 1 },
    });
    const { command_id } = agent.command(renewal('job_1.1'));
    expect(agent.result(command_id)).toMatchObject({ outcome: 'deferred', reason: 'backoff', retry_after_ms: 90_000 });
  });

  it('a renewal waits for its conversation for a bounded time', () => {
    const agent = new DeliveryFixture();
    agent.enqueue(reply('msg_1'));
    const { command_id } = agent.command(renewal('job_1.1'));
    agent.clock.advance(DELIVERY.renewal_wait_ms - 1);
    expect(agent.result(command_id)).toBeNull();
    agent.clock.advance(1);
    expect(agent.result(command_id)).toMatchObject({ outcome: 'deferred', reason: 'conversation_busy' });
    expect(agent.sent).toHaveLength(1);
  });

  it('a renewal is sent after a reply that was queued later', () => {
    const agent = new DeliveryFixture();
    agent.enqueue(reply('msg_0', 'c0'));
    agent.respond();
    agent.command(renewal('job_1.1', 'c1'));
    agent.enqueue(reply('msg_2', 'c2'));
    agent.clock.advance(2_000);
    expect(agent.sent.map((frame) => frame.plan_id)).toEqual(['reply:msg_0.1', 'reply:msg_2.1']);
    agent.clock.advance(2_000);
    expect(agent.sent.at(-1)?.plan_id).toBe('job_1.1');
  });

  it('a query gets the state of its plan', () => {
    const agent = new DeliveryFixture();
    expect(agent.query('job_1.1')).toEqual({ outcome: 'unknown' });
    agent.command(renewal('job_1.1'));
    expect(agent.query('job_1.1')).toEqual({ outcome: 'in_flight' });
    agent.respond();
    expect(agent.query('job_1.1')).toMatchObject({ outcome: 'delivered', method: 'replay' });
  });
});

describe('pacing', () => {
  it('an open breaker and its backoff survive a restart', () => {
    const agent = new DeliveryFixture();
    for (let n = 0; n < DELIVERY.breaker_failures; n += 1) {
      agent.command(renewal(`job_${n}.1`, `c${n}`));
      if (agent.sent.length <= n) throw new Error('not sent');
      agent.respond({
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
    agent.respond();
    expect(agent.manager.targets()).toMatchObject([{ breaker: 'closed', failures: 0 }]);
  });

  it('deliveries in flight of a dead process are counted as swept', () => {
    const agent = new DeliveryFixture();
    agent.command(renewal('job_1.1'));
    agent.restart();
    expect(agent.manager.targets()).toMatchObject([
      { in_flight: 0, stale_sweep_count: 1, last_stale_sweep_at: agent.clock.now() },
    ]);
  });
});
