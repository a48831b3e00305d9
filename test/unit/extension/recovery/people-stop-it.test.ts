/** People keep a page from being loaded again: by a pause of the system, and by the overlay. */
import { describe, expect, it } from 'vitest';
import { startBackground } from '../../../../extension/background/background.ts';
import type { PeoplePort } from '../../../../extension/background/people/people.ts';
import type { PeopleNews } from '../../../../extension/people-messages.ts';
import { seenLook } from '../../../support/extension/delivery-scene.ts';
import { SNAPSHOT, TestEnv } from '../../../support/extension/test-env.ts';
import { ORIGIN } from '../../../support/extension/test-site.ts';

const MINUTE = 60_000;
const PAGE = `${ORIGIN}/c/c1`;

/** A page whose answer does not end, and its overlay. */
async function openPage() {
  const env = new TestEnv().pair();
  env.openTabs = [{ id: 1, url: PAGE }];
  env.onPageCall = async (_tabId, { call }) => {
    if (call === 'look') return seenLook('c1', { url: PAGE, isAnswering: true });
    throw new Error('the page does not say');
  };
  const acts: string[] = [];
  env.env.tabs.reload = async () => void acts.push('reload');
  const news: PeopleNews[] = [];
  let send: (message: object) => void = () => undefined;
  const port: PeoplePort = {
    name: 'people',
    sender: { url: PAGE, origin: ORIGIN },
    postMessage: (one) => void news.push(one),
    onMessage: {
      addListener: (listener) => {
        send = listener;
      },
    },
    onDisconnect: { addListener: () => undefined },
    disconnect: () => undefined,
  };
  env.env.people.onConnect = (listener) => listener(port);
  const background = startBackground(env.env);
  await env.greet();
  await background.ready;
  await env.exchange('r1', { conversationId: 'c1' }, []);
  const helped = () => news.findLast((one) => one.news === 'view')?.view.helped;
  return { env, acts, helped, order: (message: object) => send(message) };
}

describe('a page whose answer does not end', () => {
  it('is not loaded again while the system is paused, but after that', async () => {
    const { env, acts } = await openPage();
    env.socket.receive({ type: 'snapshot', snapshot: { ...SNAPSHOT, system: { mode: 'paused', version: 2 } } });
    await env.clock.elapse(30 * MINUTE);
    expect(acts).toEqual([]);
    env.socket.receive({ type: 'snapshot', snapshot: SNAPSHOT });
    await env.clock.elapse(2 * MINUTE);
    expect(acts).toEqual(['reload']);
  });

  it('is shown to be helped, and left alone as soon as a person wants that', async () => {
    const { env, acts, helped, order } = await openPage();
    await env.clock.elapse(6 * MINUTE);
    expect(acts).toEqual(['reload']);
    expect(helped()).toEqual([{ platform: 'claude', conversationId: 'c1' }]);
    order({ order: 'stop_help', id: 'a', platform: 'claude', conversation_id: 'c1' });
    await env.clock.elapse(120 * MINUTE);
    expect(helped()).toEqual([]);
    expect(acts).toEqual(['reload']);
  });
});
