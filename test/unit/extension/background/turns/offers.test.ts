/** A final message on its way into the queue. */
import { expect, it } from 'vitest';
import { startBackground } from '../../../../../extension/background/background.ts';
import { QUEUE_LIMITS } from '../../../../../extension/background/queue/message-queue.ts';
import { TURN_LIMITS } from '../../../../../extension/background/turns/events.ts';
import { Turns } from '../../../../../extension/background/turns/turns.ts';
import type { FinalMessage } from '../../../../../schema/contracts/bridge-frames.ts';
import { TestEnv, TestStorage } from '../../../../support/extension/test-env.ts';
import { SEND, testSite } from '../../../../support/extension/test-site.ts';
import { final } from '../../../../support/extension/turn-scene.ts';
import { finalMessage } from '../../../../support/test-browser.ts';
import { TestClock } from '../../../../support/test-clock.ts';
import { until } from '../../../../support/until.ts';

it('a message that could not be put together stays, and is offered again', async () => {
  const clock = new TestClock();
  const storage = new TestStorage();
  const added: FinalMessage[] = [];
  const reports: string[] = [];
  let fails = true;
  const turnsOf = () =>
    new Turns({
      storage,
      clock,
      sites: [testSite()],
      tabs: { get: () => null, showing: () => null },
      pages: { call: () => Promise.reject(new Error('no page')) },
      queue: { add: async (frame) => (added.push(frame) > 0 ? 'stored' : 'full') },
      clientId: async () => {
        if (fails) throw new Error('storage cannot be read');
        return 'firefox-1';
      },
      accountToName: () => null,
      planOf: (platform, id) => `${platform}/${id}`,
      isOn: () => true,
      report: (_platform, what) => void reports.push(what),
    });
  const turns = turnsOf();
  const source = { platform: 'claude', tabId: 1, requestId: 'r1', role: 'send', at: clock.now() } as const;
  turns.onTraffic({ ...source, type: 'send', send: { ...SEND, conversationId: 'c1', userMessageId: 'u1' } });
  turns.onTraffic({ ...source, type: 'decoded', event: final() });
  await until(() => reports.length > 0);
  await clock.flush();
  expect(reports).toEqual(['message_not_stored: Error']);
  fails = false;
  clock.advance(TURN_LIMITS.offerAgain);
  await until(() => added.length > 0);
  expect(added).toMatchObject([{ assistant_message_id: 'a1', answers_plan_id: 'claude/u1' }]);
});

it('a message that finds the queue full is shown, and is taken as soon as the agent has confirmed another', async () => {
  const env = new TestEnv().pair();
  const ids = Array.from({ length: QUEUE_LIMITS.messages }, (_, n) => `m${n}`);
  env.storage.items.set('queue', ids);
  for (const id of ids) env.storage.items.set(`queue/${id}`, finalMessage({ request_id: id, raw_text: '' }));
  const badges: string[] = [];
  env.env.people.showBadge = ({ title }) => void badges.push(title);
  const { queue, ready } = startBackground(env.env);
  await ready;
  await env.exchange('r1', { conversationId: 'c1', userMessageId: 'u1' }, [final()]);
  await until(() => queue.isFull);
  await env.clock.flush();
  expect(badges.at(-1)).toBe('badge_queue_full');
  queue.acknowledged('m0');
  await until(() => env.storage.items.has('queue') && (env.storage.items.get('queue') as string[]).at(-1) !== 'm499');
  expect(queue.isFull).toBe(false);
  expect(queue.size).toBe(QUEUE_LIMITS.messages);
  await env.clock.flush();
  expect(badges.at(-1)).not.toBe('badge_queue_full');
});
