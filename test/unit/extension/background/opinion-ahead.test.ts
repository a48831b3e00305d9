/** The page's opinion on an answer whose text a reading confirms: it is asked for while the reading is under way. */
import { expect, test } from 'vitest';
import { startBackground } from '../../../../extension/background/background.ts';
import type { OpinionOrder, PageOpinion } from '../../../../extension/messages.ts';
import { TestEnv } from '../../../support/extension/test-env.ts';
import { ORIGIN, testSite } from '../../../support/extension/test-site.ts';
import { final } from '../../../support/extension/turn-scene.ts';
import type { Gate } from '../../../support/sites/streaming.ts';
import { gate } from '../../../support/sites/streaming.ts';
import { until } from '../../../support/until.ts';

const textWith = (block: string) => `A sentence.\n\n\`\`\`baa\n${block}\n\`\`\``;
const STREAMED = textWith('@conductor::describe');

interface Asked {
  order: OpinionOrder;
  say: (opinion: PageOpinion) => void;
}

/** The stream has ended with `STREAMED`; the reading is under way, and gives `confirmed` when its gate opens. */
async function confirming(confirmed: string): Promise<{ env: TestEnv; asked: Asked[]; reading: Gate }> {
  const env = new TestEnv({ sites: [testSite({ confirmsByReading: true })] }).pair();
  env.openTabs = [{ id: 1, url: `${ORIGIN}/c/c1`, title: 'A chat' }];
  const reading = gate();
  const asked: Asked[] = [];
  const messages = [
    { role: 'user', id: 'u1', parentId: null, text: 'hi', state: 'final' },
    { role: 'assistant', id: 'a1', parentId: 'u1', text: confirmed, state: 'final' },
  ];
  env.onPageCall = (_tabId, { call, order }) => {
    if (call === 'opinion') {
      const { promise, resolve } = Promise.withResolvers<PageOpinion>();
      asked.push({ order: order as OpinionOrder, say: resolve });
      return promise;
    }
    if (call !== 'read') return undefined;
    const response = { kind: 'response', status: 200, contentType: 'application/json', isChallenge: false };
    return reading.opened.then(() => ({ ...response, body: JSON.stringify({ conversationId: 'c1', messages }) }));
  };
  startBackground(env.env);
  await env.greet();
  await env.exchange('r1', { conversationId: 'c1', userMessageId: 'u1' }, [final({}, { text: STREAMED })]);
  await until(() => asked.length > 0);
  return { env, asked, reading };
}

/** The question on what is sent, after the one that was asked ahead. */
const again = async (asked: Asked[]) => {
  await until(() => asked.length > 1);
  return asked[1];
};
const messages = (env: TestEnv) => env.socket.frames('browser.final_message');

test('a page that has agreed with the stream is not asked again when the reading has the same blocks', async () => {
  const { env, asked, reading } = await confirming(`Another sentence.\n\n${STREAMED}`);
  asked[0]?.say('agrees');
  await env.clock.flush();
  reading.open();
  expect(await env.finalMessages(1)).toMatchObject([{ capture: { other: 'agrees' } }]);
  expect(asked).toHaveLength(1);
});

test('a page that agrees while it is asked again ends the wait', async () => {
  const { env, asked, reading } = await confirming(STREAMED);
  reading.open();
  await again(asked);
  asked[0]?.say('agrees');
  expect(await env.finalMessages(1)).toMatchObject([{ capture: { other: 'agrees' } }]);
});

test('that the page agreed with the stream counts for nothing when the reading has another block', async () => {
  const { env, asked, reading } = await confirming(textWith('@host::exec'));
  asked[0]?.say('agrees');
  await env.clock.flush();
  reading.open();
  const second = await again(asked);
  await env.clock.flush();
  expect(messages(env)).toEqual([]);
  expect(second?.order.blocks).toEqual(['@host::exec']);
  second?.say('differs');
  expect(await env.finalMessages(1)).toMatchObject([{ capture: { other: 'differs' } }]);
});

test.each(['absent', 'differs'] as const)('a page that said "%s" of the stream is asked again', async (early) => {
  const { env, asked, reading } = await confirming(STREAMED);
  asked[0]?.say(early);
  await env.clock.flush();
  reading.open();
  const second = await again(asked);
  await env.clock.flush();
  expect(messages(env)).toEqual([]);
  second?.say('differs');
  expect(await env.finalMessages(1)).toMatchObject([{ capture: { other: 'differs' } }]);
});

test('a page that names no message is not asked again, and its opinion is absent', async () => {
  const { env, asked, reading } = await confirming(STREAMED);
  asked[0]?.say('nameless');
  await env.clock.flush();
  reading.open();
  expect(await env.finalMessages(1)).toMatchObject([{ capture: { other: 'absent' } }]);
  expect(asked).toHaveLength(1);
});
