/** Which tab is taken when the account of a container is not known: its person may be signed out there. */
import { describe, expect, it } from 'vitest';
import type { OpenTab } from '../../../../extension/background/deliveries/find-tab.ts';
import { chooseTab } from '../../../../extension/background/deliveries/find-tab.ts';
import { ORIGIN, testSite } from '../../../support/extension/test-site.ts';

const tab = (id: number, path: string, cookieStoreId: string): OpenTab => {
  const about = { windowId: 1, lastAccessed: id, isActive: false, isDiscarded: false };
  return { id, url: `${ORIGIN}${path}`, cookieStoreId, ...about };
};
/** The account is signed in in `home`; of other containers it is not known who is. */
const account = { isIn: (container: string | null) => (container === 'home' ? true : null), container: 'home' };
const choose = (...tabs: OpenTab[]) =>
  chooseTab(testSite(), tabs, { tabId: null, conversationId: 'c1', pageUrl: `${ORIGIN}/c/c1`, account }, new Set());

describe('the tab for an account that is signed in in one container', () => {
  it('is the one there, and not a newer one of a container whose account is not known', () => {
    expect(choose(tab(1, '/c/c1', 'home'), tab(2, '/c/c1', 'work'))).toMatchObject({ type: 'use', tab: { id: 1 } });
  });

  it('is opened there, and not beside a newer tab of a container whose account is not known', () => {
    const choice = choose(tab(1, '/c/c9', 'home'), tab(2, '/c/c9', 'work'));
    expect(choice).toMatchObject({ type: 'open', beside: { windowId: 1, cookieStoreId: 'home' } });
  });

  it('is one of a container whose account is not known when only that shows the conversation', () => {
    expect(choose(tab(1, '/c/c9', 'home'), tab(2, '/c/c1', 'work'))).toMatchObject({ type: 'use', tab: { id: 2 } });
  });
});
