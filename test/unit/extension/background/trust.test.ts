/** What the background page believes of pages, and what leaves the browser. */
import { describe, expect, it } from 'vitest';
import { startBackground } from '../../../../extension/background/background.ts';
import { DEFAULT_CONTAINER } from '../../../../extension/background/logins/logins.ts';
import { EXTENSION_ID, TestEnv } from '../../../support/extension/test-env.ts';
import { ORIGIN, testSite } from '../../../support/extension/test-site.ts';
import { until } from '../../../support/until.ts';

const PAGE = `${ORIGIN}/c/c1`;
const LOOK = {
  url: PAGE,
  title: 'A chat',
  address: { kind: 'conversation', conversationId: 'c1' },
  shownConversation: 'c1',
  isVisible: true,
  composer: 'empty',
  typedAgoMs: null,
  isAnswering: false,
  isOver: false,
  obstacle: null,
  login: { login: 'fresh', account: 'someone@example.org' },
  drift: [],
  lastAnswer: null,
};
const NOTICE = { to: 'background', notice: 'page_changed', look: LOOK };
const SENDER = { id: EXTENSION_ID, url: PAGE, frameId: 0, tab: { id: 1 } };

async function started() {
  const env = new TestEnv().pair();
  env.openTabs = [{ id: 1, url: PAGE, title: 'A chat' }];
  const background = startBackground(env.env);
  await env.greet();
  await background.ready;
  return { env, background };
}

describe('a notice of a page', () => {
  it('counts for the tab that it came from', async () => {
    const { env, background } = await started();
    env.message(NOTICE, SENDER);
    expect(background.tabs.get(1)?.look).toEqual(LOOK);
  });

  it('says what its address shows only as the site reads that address', async () => {
    const { env, background } = await started();
    env.message({ ...NOTICE, look: { ...LOOK, address: { kind: 'conversation', conversationId: 'c2' } } }, SENDER);
    expect(background.tabs.get(1)?.address.conversationId).toBe('c1');
    expect(background.tabs.get(1)?.look?.address.conversationId).toBe('c1');
  });

  it('does not count for another site of this extension than the one that it came from', async () => {
    const other = { ...testSite(), platform: 'gemini', matches: ['https://gemini.google.com/*'] } as const;
    const env = new TestEnv({ sites: [testSite(), other] }).pair();
    const background = startBackground(env.env);
    await background.ready;
    env.message({ ...NOTICE, look: { ...LOOK, url: 'https://gemini.google.com/c/c1' } }, SENDER);
    env.message(NOTICE, SENDER);
    await until(() => background.logins.get('claude', DEFAULT_CONTAINER).login === 'fresh');
    expect(background.logins.get('gemini', DEFAULT_CONTAINER).login).toBe('stale');
  });

  it.each([
    ['from another extension', NOTICE, { ...SENDER, id: 'other@test' }],
    ['from a frame in the page', NOTICE, { ...SENDER, frameId: 2 }],
    ['from a page of this extension, without a tab', NOTICE, { ...SENDER, tab: undefined }],
    ['from a page of another site', NOTICE, { ...SENDER, url: 'https://evil.example/' }],
    ['about a page of another site', { ...NOTICE, look: { ...LOOK, url: 'https://evil.example/' } }, SENDER],
    ['without its shape', { ...NOTICE, look: { ...LOOK, lastAnswer: { id: 7 } } }, SENDER],
    ['with a text of great length', { ...NOTICE, look: { ...LOOK, title: 'x'.repeat(100_000) } }, SENDER],
    ['of another kind', { to: 'background', notice: 'final', text: 'ha' }, SENDER],
    ['that is no object', 'page_changed', SENDER],
  ])('does not count %s', async (_what, message, sender) => {
    const { env, background } = await started();
    env.message(message, sender);
    expect(background.tabs.get(1)?.look).toBeNull();
    expect(background.logins.get('claude', DEFAULT_CONTAINER).login).toBe('stale');
  });
});

describe('what leaves the browser', () => {
  const SECRET = 'CANARY-7f3a';

  it('holds no header, no cookie, no token, no query, no body of a request and no account', async () => {
    const { env, background } = await started();
    env.tabUpdated.fire(1, {}, { id: 1, url: `${PAGE}?token=${SECRET}#${SECRET}`, title: 'A chat' });
    const url = `${ORIGIN}/api/send?key=${SECRET}`;
    const answer = { conversationId: 'c1', messageId: 'a1', userMessageId: 'u1' };
    env.request('r1', { url, method: 'POST', body: { text: SECRET, userMessageId: 'u1', conversationId: 'c1' } });
    env.headers('r1', url, 200, { 'set-cookie': SECRET, 'x-kept': SECRET, 'cf-mitigated': SECRET });
    const events = [
      { type: 'account', account: SECRET, organizationId: SECRET },
      { type: 'drift', what: 'a_frame' },
      { type: 'final', answer, text: 'the answer', history: false },
    ];
    env.filter('r1').data(events.map((event) => `${JSON.stringify(event)}\n`).join(''));
    env.filter('r1').stop();
    env.completed('r1', url);
    env.message(
      { ...NOTICE, look: { ...LOOK, url: `${PAGE}?x=${SECRET}`, login: { login: 'fresh', account: SECRET } } },
      SENDER,
    );
    await env.finalMessages(1);
    await until(() => background.logins.get('claude', DEFAULT_CONTAINER).fingerprint !== null);
    await env.clock.elapse(120_000);
    const logins = env.socket.frames('browser.client_state').flatMap((frame) => frame.logins);
    expect(logins.at(-1)).toMatchObject({
      platform: 'claude',
      login: 'fresh',
      fingerprint: expect.stringMatching(/^[0-9a-f]{32}$/),
    });
    expect(JSON.stringify(env.socket.sent)).not.toContain(SECRET);
    expect(JSON.stringify([...env.storage.items])).not.toContain(SECRET);
  });

  it('has another fingerprint of the same account in another installation', async () => {
    const prints = await Promise.all(
      [1, 2].map(async () => {
        const { env, background } = await started();
        env.message(NOTICE, SENDER);
        await until(() => background.logins.get('claude', DEFAULT_CONTAINER).fingerprint !== null);
        return background.logins.get('claude', DEFAULT_CONTAINER).fingerprint;
      }),
    );
    expect(prints[0]).not.toBe(prints[1]);
  });

  it('is nothing of a site that a person has turned off', async () => {
    const { env, background } = await started();
    env.storage.items.set('settings', { sites_off: ['claude'] });
    env.storageChanged('settings');
    await env.clock.flush();
    const answer = { conversationId: 'c1', messageId: 'a1', userMessageId: 'u1' };
    await env.exchange('r1', { conversationId: 'c1' }, [{ type: 'final', answer, text: 'x', history: false }]);
    await env.clock.elapse(1_000);
    expect(background.queue.size).toBe(0);
    expect(env.socket.frames('browser.client_state').at(-1)).toMatchObject({ tabs: [], logins: [], request_hooks: [] });
  });
});

describe('a site that a person has turned off', () => {
  const answer = { conversationId: 'c1', messageId: 'a1', userMessageId: 'u1' };
  const FINAL = { type: 'final', answer, text: 'x', history: false };

  it('is not captured by a background page that has just been woken', async () => {
    const env = new TestEnv().pair();
    env.storage.items.set('settings', { sites_off: ['claude'] });
    const background = startBackground(env.env);
    // The settings are not read yet.
    await env.exchange('r1', { conversationId: 'c1' }, [FINAL]);
    await env.greet();
    await background.ready;
    await env.clock.elapse(1_000);
    expect(background.queue.size).toBe(0);
    expect(env.storage.items.get('turns') ?? []).toEqual([]);
    expect(env.storage.items.get('sent') ?? []).toEqual([]);
  });

  it('has no diagnostics, of what its pages show and of what its responses say', async () => {
    const { env, background } = await started();
    const drift = () => {
      env.message({ ...NOTICE, look: { ...LOOK, drift: ['composer: .old', `send: ${env.clock.now()}`] } }, SENDER);
      const limit = { type: 'limit', resetsInMs: null, resetsAt: null, reason: '' };
      return env.exchange(`r${env.clock.now()}`, { conversationId: 'c1' }, [{ type: 'drift', what: 'a_frame' }, limit]);
    };
    await drift();
    await env.clock.elapse(120_000);
    const before = env.socket.frames('diagnostic').length;
    expect(before).toBeGreaterThan(0);
    const lines = background.diagnostics.all().length;
    env.storage.items.set('settings', { sites_off: ['claude'] });
    env.storageChanged('settings');
    await env.clock.flush();
    await drift();
    await env.clock.elapse(120_000);
    expect(env.socket.frames('diagnostic')).toHaveLength(before);
    expect(background.diagnostics.all()).toHaveLength(lines);
  });

  it('is not read or loaded again for an answer that does not end, also by a page that has just been woken', async () => {
    const env = new TestEnv().pair();
    env.storage.items.set('settings', { sites_off: ['claude'] });
    const turn = { platform: 'claude', tabId: 1, conversationId: 'c1', openedAt: env.clock.now() };
    const turns = [{ ...turn, rung: 'reading', reloads: 0, wakeAt: env.clock.now() }];
    env.storage.items.set('recovery', { turns, reloads: [] });
    env.openTabs = [{ id: 1, url: PAGE }];
    const calls: string[] = [];
    env.onPageCall = (_tabId, { call }) => {
      calls.push(call);
      return Promise.reject(new Error('no page responds'));
    };
    env.env.tabs.reload = async () => void calls.push('reload');
    const get = env.storage.get.bind(env.storage);
    env.storage.get = async (keys) => {
      // The settings are the last that is read.
      if (keys.includes('settings')) await new Promise<void>((resolve) => void env.clock.after(1_000, resolve));
      return get(keys);
    };
    startBackground(env.env);
    await env.clock.elapse(30 * 60_000);
    expect(calls).toEqual([]);
  });

  it('says nothing about its login', async () => {
    const { env, background } = await started();
    env.message(NOTICE, SENDER);
    await until(() => background.logins.get('claude', DEFAULT_CONTAINER).login === 'fresh');
    env.storage.items.set('settings', { sites_off: ['claude'] });
    env.storageChanged('settings');
    await env.clock.flush();
    env.request('r1', { url: `${ORIGIN}/api/read` });
    env.headers('r1', `${ORIGIN}/api/read`, 401);
    await env.clock.flush();
    expect(background.logins.get('claude', DEFAULT_CONTAINER).login).toBe('fresh');
  });
});

describe('tabs and logins', () => {
  const states = (env: TestEnv) => env.socket.frames('browser.client_state');

  it('are reported soon after a change, and at least once a minute', async () => {
    const { env } = await started();
    const before = states(env).length;
    env.tabRemoved.fire(1);
    env.tabCreated.fire({ id: 2, url: `${ORIGIN}/`, title: 'New' });
    await env.clock.elapse(1_000);
    expect(states(env).slice(before)).toMatchObject([
      { tabs: [{ tab_id: 2, shell_page: true, conversation_id: null }] },
    ]);
    await env.clock.elapse(60_000);
    expect(states(env)).toHaveLength(before + 2);
  });

  it.each([
    ['shows another site', { id: 1, url: 'https://evil.example/' }],
    ['shows an address that may not be seen', { id: 1 }],
    ['is discarded', { id: 1, url: PAGE, discarded: true }],
    ['shows a page that is no chat', { id: 1, url: `${ORIGIN}/settings` }],
  ])('a tab is not reported that %s', async (_what, tab) => {
    const { env } = await started();
    env.tabUpdated.fire(1, {}, tab);
    await env.clock.elapse(1_000);
    expect(states(env).at(-1)?.tabs).toEqual([]);
  });

  it.each([
    ['lost', 401, {}],
    ['stale', 403, { 'cf-mitigated': 'challenge' }],
    ['fresh', 403, {}],
    ['fresh', 429, {}],
  ])('a login is %s after status %i with %j', async (login, status, headers) => {
    const { env, background } = await started();
    env.message(NOTICE, SENDER);
    await until(() => background.logins.get('claude', DEFAULT_CONTAINER).login === 'fresh');
    env.request('r1', { url: `${ORIGIN}/api/read` });
    env.headers('r1', `${ORIGIN}/api/read`, status, headers);
    await env.clock.flush();
    expect(background.logins.get('claude', DEFAULT_CONTAINER).login).toBe(login);
  });

  it('a login is known to a new background page, and has to be proved after a start of the browser', async () => {
    const { env, background } = await started();
    env.message(NOTICE, SENDER);
    await until(() => background.logins.get('claude', DEFAULT_CONTAINER).login === 'fresh');
    await env.clock.flush();
    const { fingerprint } = background.logins.get('claude', DEFAULT_CONTAINER);
    const again = new TestEnv({ storage: env.storage });
    const { logins, ready } = startBackground(again.env);
    await ready;
    expect(logins.get('claude', DEFAULT_CONTAINER)).toMatchObject({ platform: 'claude', login: 'fresh', fingerprint });
    again.browserStart.fire();
    await again.clock.flush();
    expect(logins.get('claude', DEFAULT_CONTAINER)).toMatchObject({ platform: 'claude', login: 'stale', fingerprint });
  });
});
