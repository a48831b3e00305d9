/** When a page hears that its message is answered. */
import { describe, expect, it } from 'vitest';
import { startBackground } from '../../../../extension/background/background.ts';
import { TestEnv } from '../../../support/extension/test-env.ts';
import { ORIGIN } from '../../../support/extension/test-site.ts';

async function scene() {
  const env = new TestEnv().pair();
  const answered: unknown[] = [];
  env.onPageCall = (tabId, { call, order }) => {
    if (call === 'answered') answered.push([tabId, order]);
    return undefined;
  };
  startBackground(env.env);
  await env.greet();
  return { env, answered };
}

const SEND = { kind: 'message', conversationId: 'c1', userMessageId: 'u1', text: 'hello' };
const FINAL = {
  type: 'final',
  answer: { conversationId: 'c1', messageId: 'a1', userMessageId: 'u1' },
  text: 'hi',
  history: false,
};

describe('a page that has sent a message', () => {
  it('hears that it is answered when the answer is final, and not before', async () => {
    const { env, answered } = await scene();
    const url = `${ORIGIN}/api/send`;
    env.request('r1', { url, method: 'POST', body: SEND });
    env.headers('r1', url);
    await env.clock.flush();
    expect(answered).toEqual([]);
    env.filter('r1').data(`${JSON.stringify(FINAL)}\n`);
    env.filter('r1').stop();
    env.completed('r1', url);
    await env.finalMessages(1);
    expect(answered).toEqual([[1, { text: 'hello' }]]);
  });
});
