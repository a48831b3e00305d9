import { expect, test } from 'vitest';
import { startBackground } from '../../../../extension/background/background.ts';
import { TestEnv } from '../../../support/extension/test-env.ts';
import { ORIGIN, testSite } from '../../../support/extension/test-site.ts';
import { gate } from '../../../support/sites/streaming.ts';

const answer = { conversationId: 'c1', messageId: 'a1', userMessageId: 'u1' };
const TEXT = 'done\n\n```baa\n@conductor::describe\n```';
const final = { type: 'final', answer, text: TEXT, history: false };

function openTab(env: TestEnv): void {
  env.openTabs = [{ id: 1, url: `${ORIGIN}/c/c1?token=SECRET#x`, title: 'A chat' }];
  env.onPageCall = (_tabId, { call }) => (call === 'opinion' ? 'agrees' : undefined);
}

test('a final answer on the stream reaches the agent as one message', async () => {
  const env = new TestEnv().pair();
  openTab(env);
  startBackground(env.env);
  await env.greet();
  await env.exchange('r1', { conversationId: 'c1', userMessageId: 'u1' }, [final]);
  expect(await env.finalMessages(1)).toEqual([
    {
      type: 'browser.final_message',
      request_id: expect.stringMatching(/^fm-[0-9a-f]{40}$/),
      client_id: 'firefox-1',
      platform: 'claude',
      conversation_id: 'c1',
      organization_id: null,
      assistant_message_id: 'a1',
      raw_text: TEXT,
      role: 'assistant',
      observed_at: env.clock.now(),
      page_url: `${ORIGIN}/c/c1`,
      page_title: 'A chat',
      tab_id: 1,
      shell_page: false,
      capture: { source: 'network', other: 'agrees' },
    },
  ]);
});

test('the page is asked for its opinion while the turn is being stored, and the message waits for both', async () => {
  const env = new TestEnv().pair();
  openTab(env);
  const asked: string[] = [];
  env.onPageCall = (_tabId, { call }) => {
    asked.push(call);
    return call === 'opinion' ? 'agrees' : undefined;
  };
  startBackground(env.env);
  await env.greet();
  const disk = gate();
  const set = env.storage.set.bind(env.storage);
  env.storage.set = async (items) => {
    if (JSON.stringify(items).includes('offered')) await disk.opened;
    await set(items);
  };
  await env.exchange('r1', { conversationId: 'c1', userMessageId: 'u1' }, [final]);
  await expect.poll(() => asked).toEqual(['opinion']);
  expect(env.socket.frames('browser.final_message')).toEqual([]);
  disk.open();
  expect(await env.finalMessages(1)).toMatchObject([{ capture: { other: 'agrees' } }]);
});

test('the reading that confirms an answer is asked for while the turn is being stored', async () => {
  const env = new TestEnv({ sites: [testSite({ confirmsByReading: true })] }).pair();
  openTab(env);
  const asked: string[] = [];
  env.onPageCall = (_tabId, { call }) => {
    asked.push(call);
    return undefined;
  };
  startBackground(env.env);
  await env.greet();
  const disk = gate();
  const set = env.storage.set.bind(env.storage);
  env.storage.set = async (items) => {
    if (JSON.stringify(items).includes('confirming')) await disk.opened;
    await set(items);
  };
  await env.exchange('r1', { conversationId: 'c1', userMessageId: 'u1' }, [final]);
  await expect.poll(() => asked).toContain('read');
  disk.open();
});

test('the agent gets the open tabs and the logins after its greeting', async () => {
  const env = new TestEnv().pair();
  openTab(env);
  startBackground(env.env);
  await env.greet();
  const [, hello, state] = env.socket.sent;
  expect(hello).toMatchObject({ type: 'hello', client_id: 'firefox-1', platforms: ['claude'] });
  expect(state).toMatchObject({
    type: 'browser.client_state',
    tabs: [{ conversation_id: 'c1', page_url: `${ORIGIN}/c/c1`, tab_id: 1, shell_page: false }],
    logins: [{ platform: 'claude', login: 'stale', fingerprint: null }],
  });
});
