/** Logins by container: each container of the browser has cookies of its own, so it may have an account of its own. */
import { describe, expect, it } from 'vitest';
import type { Background } from '../../../../extension/background/background.ts';
import { startBackground } from '../../../../extension/background/background.ts';
import { DEFAULT_CONTAINER, Logins } from '../../../../extension/background/logins/logins.ts';
import { accountFingerprint } from '../../../../extension/lib/hash.ts';
import { EMPTY_SLOT, nextSlot } from '../../../../local-agent/delivery/policy.ts';
import { MAX_LOGINS } from '../../../../schema/contracts/clients.ts';
import { EXTENSION_ID, TestEnv, TestStorage } from '../../../support/extension/test-env.ts';
import { ORIGIN } from '../../../support/extension/test-site.ts';

const WORK = 'firefox-container-1';
const SALT = 'a'.repeat(64);
const hash = (account: string) => accountFingerprint(SALT, 'claude', account);

interface Tab {
  id: number;
  container: string;
  /** Of its account, where its container has several. */
  path?: string;
}
const HOME_TAB: Tab = { id: 1, container: DEFAULT_CONTAINER };
const WORK_TAB: Tab = { id: 2, container: WORK };

async function started(env = new TestEnv().pair()): Promise<{ env: TestEnv; background: Background }> {
  env.storage.items.set('salt', SALT);
  env.openTabs = [HOME_TAB, WORK_TAB].map(({ id, container }) => ({
    id,
    url: `${ORIGIN}/c/c${id}`,
    title: 'A chat',
    cookieStoreId: container,
  }));
  const background = startBackground(env.env);
  await env.greet();
  await background.ready;
  return { env, background };
}

interface Given {
  env: TestEnv;
  background: Background;
}

async function says({ env, background }: Given, { id, container, path = '' }: Tab, look: object): Promise<void> {
  const url = `${ORIGIN}${path}/c/c${id}`;
  const notice = {
    url,
    title: 'A chat',
    address: { kind: 'conversation', conversationId: `c${id}` },
    shownConversation: null,
    isVisible: true,
    composer: 'empty',
    typedAgoMs: null,
    isAnswering: false,
    isOver: false,
    obstacle: null,
    login: null,
    drift: [],
    lastAnswer: null,
    ...look,
  };
  const sender = { id: EXTENSION_ID, url, frameId: 0, tab: { id, cookieStoreId: container } };
  env.message({ to: 'background', notice: 'page_changed', look: notice }, sender);
  await settled({ env, background });
}

/** The logins take one step after the other, so that one more step ends after all that came before. */
async function settled({ env, background }: Given): Promise<void> {
  await env.clock.flush();
  await background.logins.load();
}
const signedIn = (account: string) => ({ login: { login: 'fresh', account } });

describe('two accounts of one site in two containers', () => {
  async function both() {
    const given = await started();
    await says(given, HOME_TAB, signedIn('ann'));
    await says(given, WORK_TAB, signedIn('bob'));
    await given.env.clock.elapse(1_000);
    return given;
  }

  it('are two logins, and each tab names its own', async () => {
    const given = await both();
    const { env } = given;
    const state = env.socket.frames('browser.client_state').at(-1);
    const [ann, bob] = [await hash('ann'), await hash('bob')];
    expect(state?.logins).toEqual([
      { platform: 'claude', container: DEFAULT_CONTAINER, login: 'fresh', fingerprint: ann },
      { platform: 'claude', container: WORK, login: 'fresh', fingerprint: bob },
    ]);
    expect(state?.tabs).toMatchObject([
      { tab_id: 1, account_fingerprint: ann },
      { tab_id: 2, account_fingerprint: bob },
    ]);
  });

  it('are named with the messages that are captured in their tabs', async () => {
    const given = await both();
    const { env } = given;
    const answer = { conversationId: 'c2', messageId: 'a2', userMessageId: 'u2' };
    const final = { type: 'final', answer, text: 'done', history: false };
    await env.exchange('r1', { conversationId: 'c2', userMessageId: 'u2' }, [final], 2);
    expect(await env.finalMessages(1)).toMatchObject([{ tab_id: 2, account_fingerprint: await hash('bob') }]);
  });

  it('stay when the other one signs out', async () => {
    const given = await both();
    const { background } = given;
    await says(given, WORK_TAB, { login: { login: 'lost', account: null } });
    expect(background.logins.get('claude', WORK)).toMatchObject({ login: 'lost', fingerprint: null });
    expect(background.logins.get('claude', DEFAULT_CONTAINER)).toMatchObject({
      login: 'fresh',
      fingerprint: await hash('ann'),
    });
  });

  it('differ by the requests of their pages too', async () => {
    const given = await both();
    const { env, background } = given;
    const url = `${ORIGIN}/api/account`;
    env.request('r1', { url, tabId: -1, cookieStoreId: WORK, documentUrl: undefined });
    env.headers('r1', url, 401);
    env.request('r2', { url, tabId: 1 });
    env.headers('r2', url);
    env.filter('r2').data(`${JSON.stringify({ type: 'account', account: 'eve', organizationId: null })}\n`);
    await settled(given);
    expect(background.logins.get('claude', WORK).login).toBe('lost');
    expect(background.logins.get('claude', DEFAULT_CONTAINER).fingerprint).toBe(await hash('eve'));
  });
});

describe('two accounts of one site in one container, each at its own addresses', () => {
  const SECOND_TAB: Tab = { id: 3, container: DEFAULT_CONTAINER, path: '/u/1' };
  /** The logins of every report to the agent. */
  const reports = ({ env }: Given) =>
    env.socket
      .frames('browser.client_state')
      .map(({ logins }) => logins.filter(({ platform }) => platform === 'claude'));
  /** What the agent makes of them. */
  const stopped = (given: Given) => {
    const known = reports(given).map((logins) => logins.map((one) => ({ ...one, lost: one.login === 'lost' })));
    return known.reduce((slot, accounts) => nextSlot(slot, { type: 'accounts', accounts }, 1), EMPTY_SLOT).stopped;
  };
  async function both() {
    const given = await started();
    for (let turn = 0; turn < 3; turn += 1) {
      await says(given, HOME_TAB, signedIn('ann'));
      await given.env.clock.elapse(1_000);
      await says(given, SECOND_TAB, signedIn('bob'));
      await given.env.clock.elapse(1_000);
    }
    return given;
  }

  it('are two logins, and what the one page says changes nothing of the other, nor stops the site', async () => {
    const given = await both();
    expect(reports(given).at(-1)).toEqual([
      { platform: 'claude', container: DEFAULT_CONTAINER, login: 'fresh', fingerprint: await hash('ann') },
      { platform: 'claude', container: `${DEFAULT_CONTAINER}/u/1`, login: 'fresh', fingerprint: await hash('bob') },
    ]);
    expect(stopped(given)).toBeNull();
  });

  it('name each tab by its own account', async () => {
    const { env } = await both();
    expect(env.socket.frames('browser.client_state').at(-1)?.tabs).toMatchObject([
      { tab_id: 1, account_fingerprint: await hash('ann') },
      { tab_id: 2 },
      { tab_id: 3, account_fingerprint: await hash('bob') },
    ]);
  });

  it('stop the site when another account is signed in at the addresses of one of them', async () => {
    const given = await both();
    await says(given, SECOND_TAB, signedIn('eve'));
    await given.env.clock.elapse(1_000);
    expect(stopped(given)).toMatchObject({ reason: 'account_changed' });
  });

  it('sign out one by one', async () => {
    const given = await both();
    const { env, background } = given;
    const url = `${ORIGIN}/api/account`;
    env.request('r1', { url, tabId: SECOND_TAB.id });
    env.headers('r1', url, 401);
    await settled(given);
    expect(background.logins.get('claude', `${DEFAULT_CONTAINER}/u/1`).login).toBe('lost');
    expect(background.logins.get('claude', DEFAULT_CONTAINER).login).toBe('fresh');
  });
});

describe('the account of a page that is looked at', () => {
  const place = { platform: 'claude', container: DEFAULT_CONTAINER } as const;
  async function known() {
    const { background } = await started();
    background.logins.onPage(place, { login: 'fresh', account: 'ann' });
    await background.logins.load();
    return background.logins;
  }

  it('is the one that the page says, though its container was signed in to another', async () => {
    const logins = await known();
    expect(await logins.ofPage(place, { login: 'fresh', account: 'bob' })).toBe(await hash('bob'));
    expect(logins.accountAt(place)).toBe(await hash('ann'));
  });

  it('is the one of its container when the page does not say', async () => {
    const logins = await known();
    expect(await logins.ofPage(place, null)).toBe(await hash('ann'));
    expect(await logins.ofPage(place, { login: 'stale', account: null })).toBe(await hash('ann'));
  });

  it('is another one in another workspace', async () => {
    const logins = await known();
    expect(await logins.ofPage(place, { login: 'stale', account: null }, 'w1')).not.toBe(await hash('ann'));
    expect(await logins.ofPage(place, { login: 'fresh', account: 'ann' }, '')).toBe(await hash('ann'));
  });
});

it('with one account no tab and no message names it, as a former edge takes no such field', async () => {
  const given = await started();
  const { env } = given;
  await says(given, HOME_TAB, signedIn('ann'));
  await env.clock.elapse(1_000);
  for (const tab of env.socket.frames('browser.client_state').at(-1)?.tabs ?? [])
    expect(tab).not.toHaveProperty('account_fingerprint');
});

/** Says who is signed in, and not in which workspace. */
const person = { type: 'account', account: 'ann', organizationId: null, lacksWorkspace: true };
async function reads(given: Given, requestId: string, event: object): Promise<void> {
  const { env } = given;
  const url = `${ORIGIN}/api/account`;
  env.request(requestId, { url, tabId: 1 });
  env.headers(requestId, url);
  env.filter(requestId).data(`${JSON.stringify(event)}\n`);
  await settled(given);
}

describe('a login that an earlier version has stored', () => {
  it('is that of the default container, and is the same account when its page says so', async () => {
    const env = new TestEnv().pair();
    const fingerprint = await hash('ann');
    env.storage.items.set('logins', [{ platform: 'claude', login: 'fresh', fingerprint }]);
    const given = await started(env);
    const { background } = given;
    const login = () => background.logins.get('claude', DEFAULT_CONTAINER);
    expect(login()).toMatchObject({ login: 'fresh', fingerprint });
    await says(given, HOME_TAB, { ...signedIn('ann'), workspace: '' });
    expect(login().fingerprint).toBe(fingerprint);
  });

  it.each([[['ann', 'eve']], [['eve']]])('is another account once another person is seen: %j', async (people) => {
    const env = new TestEnv().pair();
    env.storage.items.set('logins', [{ platform: 'claude', login: 'fresh', fingerprint: await hash('ann') }]);
    const given = await started(env);
    const login = () => given.background.logins.get('claude', DEFAULT_CONTAINER);
    for (const account of people) {
      await reads(given, account, { ...person, account });
      expect(login().fingerprint).toBe(await hash(account));
    }
  });
});

describe('the workspace of a page', () => {
  const printOf = ({ logins }: Background) => logins.get('claude', DEFAULT_CONTAINER).fingerprint;

  it('is a part of the account: to switch it is to switch the account, and back', async () => {
    const given = await started();
    const { background } = given;
    await says(given, HOME_TAB, { ...signedIn('ann'), workspace: '' });
    const own = printOf(background);
    await says(given, HOME_TAB, { ...signedIn('ann'), workspace: 'w1' });
    const first = printOf(background);
    await says(given, HOME_TAB, { ...signedIn('ann'), workspace: 'w2' });
    expect(new Set([own, first, printOf(background)]).size).toBe(3);
    await says(given, HOME_TAB, { ...signedIn('ann'), workspace: '' });
    expect(printOf(background)).toBe(own);
    expect(own).toBe(await hash('ann'));
  });

  it('counts also when the page does not name the person', async () => {
    const given = await started();
    const { background } = given;
    await reads(given, 'r1', person);
    expect(printOf(background)).toBeNull();
    await says(given, HOME_TAB, { workspace: '' });
    expect(printOf(background)).toBe(await hash('ann'));
    await says(given, HOME_TAB, { workspace: 'w1' });
    expect(printOf(background)).not.toBe(await hash('ann'));
  });

  it('stays when a request says who is signed in and not where', async () => {
    const given = await started();
    const { background } = given;
    await says(given, HOME_TAB, { ...signedIn('ann'), workspace: 'w1' });
    const print = printOf(background);
    await reads(given, 'r1', person);
    expect(printOf(background)).toBe(print);
    await reads(given, 'r2', { ...person, account: 'eve' });
    expect(printOf(background)).not.toBe(print);
  });
});

it('of more logins than the agent takes, the ones that changed last are kept', async () => {
  const given = await started();
  const { background } = given;
  for (let n = 0; n < 20; n += 1)
    await says(given, { id: 100 + n, container: `firefox-container-${n}` }, signedIn(`p${n}`));
  expect(background.logins.all()).toHaveLength(16);
  expect(background.logins.get('claude', 'firefox-container-0').login).toBe('stale');
  expect(background.logins.get('claude', 'firefox-container-19').login).toBe('fresh');
});

it('the logins of many containers leave room for the sites of which none is known', async () => {
  const logins = new Logins(new TestStorage(), ['chatgpt', 'claude', 'gemini']);
  for (let n = 0; n < 20; n += 1)
    logins.onPage({ platform: 'chatgpt', container: `firefox-container-${n}` }, { login: 'lost', account: null });
  await logins.load();
  expect(logins.of('chatgpt').at(-1)?.container).toBe('firefox-container-19');
  expect(logins.all()).toHaveLength(MAX_LOGINS);
});
