import { describe, expect, it } from 'vitest';
import { DELIVERY } from '../../../../schema/defaults.ts';
import { newId } from '../../../../schema/ids.ts';
import { renewal, reply } from '../../../support/delivery-builders.ts';
import { DeliveryFixture } from './fixture.ts';

const refusedWith = (http_status: number) => ({
  failed: true,
  reason: `http_${http_status}`,
  downstream: { method: 'dom', http_status, seen_in_page: false, duration_ms: 1 } as const,
});

function resume(agent: DeliveryFixture, platform: 'chatgpt' | 'claude' | null = null) {
  const command_id = newId('command', agent.clock.now());
  const body = { client_id: 'firefox-1', platform };
  agent.take({ command_id, expires_in_ms: 1, kind: 'client.resume', body });
  return agent.result(command_id);
}

describe('a browser that is not signed in', () => {
  it.each([401, 403])(
    'a delivery that gets %i fails and stops its browser on that platform, also over a restart',
    (status) => {
      const agent = new DeliveryFixture();
      const first = agent.command(renewal('job_1.1'));
      agent.respond(refusedWith(status));
      expect(agent.result(first.command_id)).toMatchObject({ outcome: 'failed', http_status: status });
      agent.restart();
      agent.clock.advance(86_400_000);
      const second = agent.command(renewal('job_2.1', 'c2'));
      expect(agent.result(second.command_id)).toMatchObject({
        outcome: 'deferred',
        reason: 'signed_out',
        retry_after_ms: DELIVERY.stopped_recheck_ms,
      });
      expect(agent.sent).toHaveLength(1);
    },
  );

  it('a stop is an urgent change of the pacing', () => {
    const agent = new DeliveryFixture();
    agent.command(renewal('job_1.1'));
    agent.changes.length = 0;
    agent.respond(refusedWith(401));
    expect(agent.changes).toContainEqual({ clientId: 'firefox-1', urgent: true });
    expect(agent.manager.pacing.stoppedReason('firefox-1', 'chatgpt')).toBe('signed_out');
  });

  it('a stop does not affect other platforms of the browser', () => {
    const agent = new DeliveryFixture();
    agent.command(renewal('job_1.1'));
    agent.respond(refusedWith(401));
    agent.command({ ...renewal('job_2.1', 'c2'), platform: 'claude' });
    expect(agent.sent).toHaveLength(2);
  });
});

describe('a security challenge', () => {
  it('a security challenge stops its browser whether the browser refused or failed', () => {
    for (const response of [
      { accepted: false, failed: true, reason: 'security_challenge', downstream: null },
      { failed: true, reason: 'security_challenge', downstream: refusedWith(403).downstream },
    ]) {
      const agent = new DeliveryFixture();
      agent.command(renewal('job_1.1'));
      agent.respond(response);
      expect(agent.manager.targets()).toMatchObject([{ stopped: { reason: 'security_challenge' } }]);
    }
  });
});

describe('another account', () => {
  it('another account stops the browser, and a reply waits for the person’s resume', () => {
    const agent = new DeliveryFixture();
    const account = (fingerprint: string) =>
      agent.manager.pacing.accountsSeen('firefox-1', [{ platform: 'chatgpt', fingerprint, lost: false }]);
    account('ann');
    account('bob');
    agent.enqueue(reply('msg_1'));
    expect(agent.sent).toEqual([]);
    expect(resume(agent)).toEqual({ resumed: ['chatgpt'] });
    expect(agent.sent.map(({ plan_id }) => plan_id)).toEqual(['reply:msg_1.1']);
  });

  it('is named to the browser with each delivery, which compares it once more before it sends', () => {
    const agent = new DeliveryFixture();
    agent.enqueue(reply('msg_1'));
    expect(agent.sent[0]).toMatchObject({ account_fingerprint: null });
    agent.manager.pacing.accountsSeen('firefox-1', [{ platform: 'chatgpt', fingerprint: 'ann', lost: false }]);
    agent.respond({ accepted: false, failed: true, reason: 'person_is_typing', retry_after_ms: 2_000 });
    agent.clock.advance(3_000);
    expect(agent.sent[1]).toMatchObject({ account_fingerprint: 'ann', plan_id: 'reply:msg_1.1' });
  });
});

describe('two accounts of one browser', () => {
  it('are both delivered to, each message to the account of its link', () => {
    const agent = new DeliveryFixture();
    agent.manager.pacing.accountsSeen('firefox-1', [
      { platform: 'chatgpt', container: 'a', fingerprint: 'ann', lost: false },
      { platform: 'chatgpt', container: 'b', fingerprint: 'bob', lost: false },
    ]);
    const { target, ...message } = reply('msg_1');
    agent.enqueue({ ...message, target: { ...target, account_fingerprint: 'bob' } });
    agent.enqueue(reply('msg_2', 'c2'));
    agent.clock.advance(DELIVERY.min_spacing_ms + DELIVERY.spacing_jitter_ms);
    expect(agent.sent.map(({ account_fingerprint }) => account_fingerprint)).toEqual(['bob', null]);
  });
});

describe('a resume', () => {
  it('a resume of one platform leaves another stopped, and does nothing where none is stopped', () => {
    const agent = new DeliveryFixture();
    expect(resume(agent)).toEqual({ resumed: [] });
    agent.manager.pacing.accountsSeen('firefox-1', [
      { platform: 'chatgpt', fingerprint: null, lost: true },
      { platform: 'claude', fingerprint: null, lost: true },
    ]);
    expect(resume(agent, 'claude')).toEqual({ resumed: ['claude'] });
    expect(agent.manager.pacing.stoppedReason('firefox-1', 'chatgpt')).toBe('signed_out');
  });
});

describe('429', () => {
  it('a 429 blocks the slot for as long as the platform asks, and counts for the breaker', () => {
    const agent = new DeliveryFixture();
    agent.command(renewal('job_1.1'));
    agent.respond({ ...refusedWith(429), retry_after_ms: 120_000 });
    expect(agent.manager.targets()).toMatchObject([{ failures: 1, stopped: null }]);
    const early = agent.command(renewal('job_2.1', 'c2'));
    expect(agent.result(early.command_id)).toMatchObject({ outcome: 'deferred', retry_after_ms: 120_000 });
    agent.clock.advance(120_000);
    agent.command(renewal('job_3.1', 'c3'));
    expect(agent.sent).toHaveLength(2);
  });
});
