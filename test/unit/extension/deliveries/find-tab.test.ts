/** Which tab is taken when the account of a container is not known: its person may be signed out there. */
import { describe, expect, it } from 'vitest';
import type { AccountTab, OpenTab } from '../../../../extension/background/deliveries/find-tab.ts';
import { chooseTab, skippedTabs } from '../../../../extension/background/deliveries/find-tab.ts';
import { ORIGIN, testSite } from '../../../support/extension/test-site.ts';

const tab = (id: number, path: string, cookieStoreId: string): OpenTab => {
  const about = { windowId: 1, lastAccessed: id, isActive: false, isDiscarded: false };
  return { id, url: `${ORIGIN}${path}`, cookieStoreId, ...about };
};
/** The account is signed in in `home`; of other containers it is not known who is. */
const account = {
  isIn: ({ cookieStoreId }: AccountTab) => (cookieStoreId === 'home' ? true : null),
  container: 'home',
};
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

describe('the tab of one of two accounts in one container', () => {
  const of = (pageUrl: string, ...tabs: OpenTab[]) =>
    chooseTab(testSite(), tabs, { tabId: 1, conversationId: 'c1', pageUrl: `${ORIGIN}${pageUrl}` }, new Set());
  const [first, second] = [tab(1, '/c/c1', 'home'), tab(2, '/u/1/c/c1', 'home')];

  it('is the one at the addresses of the account of the order', () => {
    expect(of('/c/c1', first, second)).toMatchObject({ tab: { id: 1 } });
    expect(of('/u/1/c/c1', first, second)).toMatchObject({ tab: { id: 2 } });
  });

  it('is opened at the addresses of that account when only the other one has a tab', () => {
    const url = `${ORIGIN}/u/1/c/c1`;
    expect(of('/u/1/c/c1', first)).toMatchObject({ type: 'open', url });
    const wanted = { tabId: 1, conversationId: 'c1', pageUrl: url };
    const skipped = skippedTabs(testSite(), [first], wanted, { choice: of('/u/1/c/c1', first), busy: new Set() });
    expect(skipped).toEqual([{ tabId: 1, reason: 'other_account' }]);
  });

  it('is the one in which the account is signed in now, at whichever address', () => {
    const account = { isIn: ({ url }: AccountTab) => url === first.url, container: 'home' };
    const wanted = { tabId: 1, conversationId: 'c1', pageUrl: `${ORIGIN}/u/1/c/c1`, account };
    expect(chooseTab(testSite(), [first, second], wanted, new Set())).toMatchObject({ tab: { id: 1 } });
  });
});
