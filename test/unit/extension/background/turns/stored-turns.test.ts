/** What turns write into storage while answers are written: a page makes many events, and the list of sent messages is long. */
import { expect, test } from 'vitest';
import { startBackground } from '../../../../../extension/background/background.ts';
import { TestEnv } from '../../../../support/extension/test-env.ts';
import { ORIGIN } from '../../../../support/extension/test-site.ts';

const answer = { conversationId: 'c1', messageId: 'a2', userMessageId: 'u2' };
const EARLIER = ['["claude","c1","a1"]'];

async function sceneWithSentMessage() {
  const env = new TestEnv().pair();
  env.storage.items.set('sent', EARLIER);
  const written: string[][] = [];
  const set = env.storage.set.bind(env.storage);
  env.storage.set = async (items) => {
    written.push(Object.keys(items));
    await set(items);
  };
  const background = startBackground(env.env);
  await background.ready;
  await env.clock.elapse(1_000);
  written.length = 0;
  return { env, background, written };
}

test('an event that changes no turn writes nothing', async () => {
  const { env, background, written } = await sceneWithSentMessage();
  background.turns.wake();
  background.turns.reread('claude', 'c9');
  await env.clock.elapse(1_000);
  expect(written).toEqual([]);
});

test('the list of sent messages is written only with a further message, and together with the end of its turn', async () => {
  const { env, written } = await sceneWithSentMessage();
  const send = { conversationId: 'c1', userMessageId: 'u2' };
  await env.exchange('r1', send, [{ type: 'progress', answer, chars: 3 }]);
  await env.clock.elapse(1_000);
  expect(written).toContainEqual(['turns']);
  expect(written.flat()).not.toContain('sent');
  await env.exchange('r2', send, [{ type: 'final', answer, text: 'done', history: false }]);
  await expect.poll(() => written).toContainEqual(['turns', 'sent']);
  expect(env.storage.items.get('sent')).toEqual([...EARLIER, '["claude","c1","a2"]']);
});

test('a turn is in storage as soon as its question is sent, so that an event page that ends then has it', async () => {
  const { env } = await sceneWithSentMessage();
  const body = { conversationId: 'c1', userMessageId: 'u2' };
  env.request('r1', { url: `${ORIGIN}/api/send`, method: 'POST', body, tabId: 1 });
  await env.clock.flush();
  expect(env.storage.items.get('turns')).toMatchObject([{ userMessageId: 'u2', phase: 'streaming' }]);
});
