/** A tab id that is kept over a start of the browser may be that of any other page. */
import { expect, it } from 'vitest';
import { startBackground } from '../../../../extension/background/background.ts';
import { TestEnv } from '../../../support/extension/test-env.ts';
import { ORIGIN } from '../../../support/extension/test-site.ts';

/** The tabs that are loaded again for a quiet turn of tab 1, which an earlier background page has left. */
async function reloadsOf(url: string | undefined): Promise<number[]> {
  const env = new TestEnv();
  const turn = { platform: 'claude', tabId: 1, conversationId: 'c1', openedAt: env.clock.now() };
  const turns = [{ ...turn, rung: 'reading', reloads: 0, wakeAt: env.clock.now() }];
  env.storage.items.set('recovery', { turns, reloads: [] });
  env.openTabs = [{ id: 1, url }];
  env.onPageCall = () => Promise.reject(new Error('no page responds'));
  const reloads: number[] = [];
  env.env.tabs.reload = async (tabId) => void reloads.push(tabId);
  startBackground(env.env);
  await env.clock.elapse(60_000);
  return reloads;
}

it('a page of the conversation that does not respond is loaded again', async () => {
  expect(await reloadsOf(`${ORIGIN}/c/c1`)).toEqual([1]);
});

it.each([
  ['another site', undefined],
  ['another conversation', `${ORIGIN}/c/c2`],
])('a page of %s in the tab of a quiet turn is never loaded again', async (_what, url) => {
  expect(await reloadsOf(url)).toEqual([]);
});
