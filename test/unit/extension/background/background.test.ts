import { expect, test } from 'vitest';
import { startBackground } from '../../../../extension/background/background.ts';
import { TestEnv, TestStorage } from '../../../support/extension/test-env.ts';
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
      answers_plan_id: null,
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

/** Storage that writes nothing from now on, as on a disk that is busy for long. */
function holdStorage(env: TestEnv): { release: () => void } {
  const disk = gate();
  const set = env.storage.set.bind(env.storage);
  env.storage.set = async (items) => {
    await disk.opened;
    await set(items);
  };
  return { release: () => disk.open() };
}

test('an answer reaches the agent while storage still writes what came before it', async () => {
  const env = new TestEnv().pair();
  openTab(env);
  startBackground(env.env);
  await env.greet();
  holdStorage(env);
  await env.exchange('r1', { conversationId: 'c1', userMessageId: 'u1' }, [
    { type: 'progress', answer, chars: 3 },
    final,
  ]);
  expect(await env.finalMessages(1)).toMatchObject([{ capture: { other: 'agrees' } }]);
});

test('an answer does not wait until the message before it is in storage', async () => {
  const env = new TestEnv().pair();
  openTab(env);
  startBackground(env.env);
  await env.greet();
  holdStorage(env);
  for (const n of [1, 2]) {
    const other = { ...answer, messageId: `a${n}`, userMessageId: `u${n}` };
    const send = { conversationId: 'c1', userMessageId: `u${n}` };
    await env.exchange(`r${n}`, send, [{ ...final, answer: other }]);
    await env.finalMessages(n);
  }
  const sent = env.socket.frames('browser.final_message');
  expect(sent.map(({ assistant_message_id }) => assistant_message_id)).toEqual(['a1', 'a2']);
});

test('an answer that was sent before anything of its end was stored is read again after a restart, as the same message', async () => {
  const env = new TestEnv().pair();
  openTab(env);
  startBackground(env.env);
  await env.greet();
  const send = { conversationId: 'c1', userMessageId: 'u1' };
  env.request('r1', { url: `${ORIGIN}/api/send`, method: 'POST', body: send, tabId: 1 });
  await env.clock.flush();
  // The background page ends before storage has written anything more.
  holdStorage(env);
  await env.exchange('r2', send, [final]);
  const [first] = await env.finalMessages(1);
  const next = new TestEnv({ storage: storageAsLeft(env) });
  openTab(next);
  startBackground(next.env);
  await next.greet();
  const messages = [
    { role: 'user', id: 'u1', parentId: null, text: 'hi', state: 'final' },
    { role: 'assistant', id: 'a1', parentId: 'u1', text: TEXT, state: 'final' },
  ];
  const url = `${ORIGIN}/api/read/c1`;
  next.request('r3', { url, tabId: 1 });
  next.headers('r3', url);
  next.filter('r3').data(`${JSON.stringify({ type: 'reading', reading: { conversationId: 'c1', messages } })}\n`);
  next.filter('r3').stop();
  next.completed('r3', url);
  const [again] = await next.finalMessages(1);
  expect(again).toMatchObject({ request_id: first?.request_id, raw_text: TEXT });
});

test('an answer without a block is sent before storage and people get any work of it', async () => {
  const env = new TestEnv().pair();
  openTab(env);
  const { queue } = startBackground(env.env);
  await env.greet();
  const order: string[] = [];
  const set = env.storage.set.bind(env.storage);
  env.storage.set = async (items) => {
    if (JSON.stringify(items).includes('No block.')) order.push('stored');
    await set(items);
  };
  env.onPageCall = (_tabId, { call }) => {
    if (call === 'opinion') order.push('asked');
    return undefined;
  };
  const isSent = () => env.socket.frames('browser.final_message').length > 0;
  queue.changed.on(() => order.push(isSent() ? 'shown' : 'shown before it was sent'));
  const text = { ...final, text: 'No block.' };
  const send = { conversationId: 'c1', userMessageId: 'u1' };
  await env.exchange('r1', send, [{ type: 'progress', answer, chars: 3 }, text]);
  await env.finalMessages(1);
  await expect.poll(() => order).toEqual(['shown', 'asked', 'stored', 'stored']);
});

/** What a background page that ends now leaves. */
function storageAsLeft(env: TestEnv): TestStorage {
  const storage = new TestStorage();
  for (const [key, value] of env.storage.items) storage.items.set(key, structuredClone(value));
  return storage;
}

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
