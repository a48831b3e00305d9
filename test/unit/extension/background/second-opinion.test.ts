/** When a message waits for the page, and what is in storage when it is sent. */
import { expect, test } from 'vitest';
import { startBackground } from '../../../../extension/background/background.ts';
import { TestEnv } from '../../../support/extension/test-env.ts';
import { ORIGIN } from '../../../support/extension/test-site.ts';
import { final } from '../../../support/extension/turn-scene.ts';
import { gate } from '../../../support/sites/streaming.ts';
import { until } from '../../../support/until.ts';

const SEND = { conversationId: 'c1', userMessageId: 'u1' };
const PLAIN = 'A sentence.\n\n```js\nbaa()\n```';
const BLOCK = 'A sentence.\n\n```baa\n@conductor::describe\n```';

/** The page says `opinion` as soon as it has drawn the answer. */
async function scene(opinion: string) {
  const env = new TestEnv().pair();
  env.openTabs = [{ id: 1, url: `${ORIGIN}/c/c1`, title: 'A chat' }];
  const drawn = gate();
  const asked: string[] = [];
  env.onPageCall = async (_tabId, { call }) => {
    asked.push(call);
    if (call !== 'opinion') return undefined;
    await drawn.opened;
    return opinion;
  };
  const background = startBackground(env.env);
  await env.greet();
  return { env, drawn, asked, background };
}

const messages = (env: TestEnv) => env.socket.frames('browser.final_message');

test('a message with a block waits until the page has drawn it, so that a page with another block stops it', async () => {
  const { env, drawn, asked } = await scene('differs');
  await env.exchange('r1', SEND, [final({}, { text: BLOCK })]);
  await until(() => asked.includes('opinion'));
  await env.clock.flush();
  expect(messages(env)).toEqual([]);
  drawn.open();
  expect(await env.finalMessages(1)).toMatchObject([{ capture: { other: 'differs' } }]);
});

test.each([
  ['a fence in a list', '- ```baa\n  @conductor::describe\n  ```'],
  ['a fence of another spelling', '~~~BAA\n@conductor::describe\n~~~'],
  ['a byte order mark before it', '\ufeff```baa\n@conductor::describe\n```'],
])('a message with what may be a block waits for the page: %s', async (_what, text) => {
  const { env, drawn, asked } = await scene('agrees');
  await env.exchange('r1', SEND, [final({}, { text })]);
  await until(() => asked.includes('opinion'));
  await env.clock.flush();
  expect(messages(env)).toEqual([]);
  drawn.open();
  expect(await env.finalMessages(1)).toMatchObject([{ capture: { other: 'agrees' } }]);
});

test('a message without a block does not wait for the page', async () => {
  const { env } = await scene('agrees');
  await env.exchange('r1', SEND, [final({}, { text: PLAIN })]);
  expect(await env.finalMessages(1)).toMatchObject([{ raw_text: PLAIN, capture: { other: 'absent' } }]);
});

test('a block that the page shows and the captured text does not have is reported', async () => {
  const { env, drawn } = await scene('differs');
  await env.exchange('r1', SEND, [final({}, { text: PLAIN })]);
  await env.finalMessages(1);
  drawn.open();
  await until(() => env.socket.frames('diagnostic').length > 0);
  expect(JSON.stringify(env.socket.frames('diagnostic'))).toContain('a block that the answer does not have');
});

test('a message that was sent while it was being stored is sent again by a new background page, under the same id', async () => {
  const { env, drawn } = await scene('agrees');
  const set = env.storage.set.bind(env.storage);
  // The background page ends before the message is in storage.
  env.storage.set = async (items) => await ('queue' in items ? new Promise<void>(() => undefined) : set(items));
  drawn.open();
  await env.exchange('r1', SEND, [final({}, { text: BLOCK })]);
  const [first] = await env.finalMessages(1);
  expect(env.storage.items.get('turns')).toMatchObject([{ phase: 'offered', final: { text: BLOCK } }]);
  env.storage.set = set;
  const next = new TestEnv({ storage: env.storage });
  startBackground(next.env);
  await next.greet();
  const [again] = await next.finalMessages(1);
  expect(again).toMatchObject({ request_id: first?.request_id, raw_text: BLOCK });
});
