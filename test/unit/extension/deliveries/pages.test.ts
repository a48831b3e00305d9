/** In which tab a message is typed, that the conversation is proven there, and what a reading of it contains. */
import { describe, expect, it } from 'vitest';
import type { PageView } from '../../../../extension/messages.ts';
import type { SiteMessage } from '../../../../extension/sites/facts.ts';
import { DeliveryScene, seenLook } from '../../../support/extension/delivery-scene.ts';

const used = (scene: DeliveryScene): string | undefined => scene.calls[0];
const reasons = (scene: DeliveryScene) => scene.results.map(({ reason }) => reason);

describe('the tab of a message', () => {
  it('is the named one while it shows the conversation, and not a newer one', async () => {
    const scene = new DeliveryScene();
    scene.tabs.push(scene.tab(40, 'https://chatgpt.com/c/c1'));
    await scene.deliver();
    expect(used(scene)).toBe('17 look');
  });

  it('is the newest that shows the conversation when the named one was closed or shows another', async () => {
    const scene = new DeliveryScene();
    scene.tabs = [
      scene.tab(17, 'https://chatgpt.com/c/c2'),
      scene.tab(30, 'https://chatgpt.com/c/c1'),
      scene.tab(40, 'https://chatgpt.com/c/c1'),
      scene.tab(50, 'https://chatgpt.com/'),
    ];
    await scene.deliver();
    expect(used(scene)).toBe('40 look');
  });

  it('is opened in the background and in the same container when none shows the conversation', async () => {
    const scene = new DeliveryScene();
    scene.tabs = [scene.tab(17, 'https://chatgpt.com/c/c2', { cookieStoreId: 'work' })];
    await scene.deliver();
    expect(scene.opened).toEqual([{ url: 'https://chatgpt.com/c/c1', cookieStoreId: 'work' }]);
    expect(used(scene)).toBe('91 look');
  });

  describe('of two accounts in two containers', () => {
    /** The account `f1` is signed in in `work`, and `f2` everywhere else. */
    function scene(...tabs: [number, string, string | null][]): DeliveryScene {
      const made = new DeliveryScene();
      made.account = 'f2';
      made.accounts = { work: 'f1' };
      made.tabs = tabs.map(([id, path, cookieStoreId]) =>
        made.tab(id, `https://chatgpt.com${path}`, { cookieStoreId }),
      );
      return made;
    }

    it.each(['f1', 'f2'])('is one of the account of the link: %s', async (account_fingerprint) => {
      const given = scene([17, '/c/c1', 'work'], [30, '/c/c1', null]);
      await given.deliver({ account_fingerprint, tab_id: account_fingerprint === 'f1' ? 30 : 17 });
      expect(used(given)).toBe(account_fingerprint === 'f1' ? '17 look' : '30 look');
      await given.responds(await given.sends({}, account_fingerprint === 'f1' ? 17 : 30), 200);
      expect(given.calls.filter((call) => call.endsWith('press'))).toHaveLength(1);
    });

    it('is opened in the container of that account, though tabs of the other one are open', async () => {
      const given = scene([17, '/c/c1', null]);
      await given.deliver({ account_fingerprint: 'f1' });
      expect(given.opened).toEqual([{ url: 'https://chatgpt.com/c/c1', cookieStoreId: 'work' }]);
    });

    it('that starts a conversation is opened in the container of that account', async () => {
      const given = scene([17, '/', null]);
      given.handlers.look = () => seenLook(null);
      const page_url = 'https://chatgpt.com/';
      await given.deliver({ account_fingerprint: 'f1', conversation_id: null, page_url, tab_id: null });
      expect(given.opened).toEqual([{ url: page_url, cookieStoreId: 'work' }]);
    });

    it('gets nothing when that account is signed in in neither', async () => {
      const given = scene([17, '/c/c1', 'work'], [30, '/c/c1', null]);
      await given.deliver({ account_fingerprint: 'f3' });
      expect(reasons(given)).toEqual(['account_changed']);
      expect(given.opened).toEqual([]);
      expect(given.calls.some((call) => call.endsWith('press'))).toBe(false);
    });
  });

  describe('whose page says who is signed in', () => {
    async function delivered(container: string, page: string): Promise<DeliveryScene> {
      const scene = new DeliveryScene();
      scene.account = container;
      scene.pageAccounts = { bob: page };
      scene.handlers.look = () => seenLook('c1', { login: { login: 'fresh', account: 'bob' } });
      await scene.deliver({ account_fingerprint: 'f1' });
      return scene;
    }

    it('is used when that is the account, though its container was last seen with another', async () => {
      expect((await delivered('f2', 'f1')).calls).toContain('17 press');
    });

    it('gets nothing when that is another account, though its container was last seen with this one', async () => {
      const scene = await delivered('f1', 'f2');
      expect(reasons(scene)).toEqual(['account_changed']);
      expect(scene.calls).not.toContain('17 compose');
    });
  });

  it('is opened at the usual address when the named address is not of this conversation', async () => {
    const scene = new DeliveryScene();
    scene.tabs = [];
    await scene.deliver({ page_url: 'https://evil.example/c/c1' });
    expect(scene.opened).toEqual([{ url: 'https://chatgpt.com/c/c1', cookieStoreId: null }]);
  });

  it('is loaded first when the browser has unloaded it', async () => {
    const scene = new DeliveryScene();
    scene.tabs = [scene.tab(17, 'https://chatgpt.com/c/c1', { isDiscarded: true })];
    await scene.deliver();
    expect(scene.reloaded).toEqual([17]);
  });

  it('of a new conversation is a page that starts one, never one of another conversation or a temporary one', async () => {
    const scene = new DeliveryScene();
    scene.handlers.look = () => seenLook(null);
    scene.tabs = [scene.tab(17, 'https://chatgpt.com/c/c2'), scene.tab(18, 'https://chatgpt.com/?temporary-chat=true')];
    await scene.deliver({ conversation_id: null, page_url: 'https://chatgpt.com/?temporary-chat=true' });
    expect(scene.opened).toEqual([{ url: 'https://chatgpt.com/', cookieStoreId: null }]);
    expect(scene.calls).toContain('91 press');
  });

  it('is used by one delivery at a time', async () => {
    const scene = new DeliveryScene();
    scene.handlers.look = () => seenLook(null);
    scene.tabs = [scene.tab(17, 'https://chatgpt.com/')];
    await scene.deliver({ conversation_id: null, page_url: 'https://chatgpt.com/' });
    await scene.deliver({ conversation_id: null, page_url: 'https://chatgpt.com/', plan_id: 'p2', request_id: 'r2' });
    expect(scene.calls.filter((call) => call.endsWith('press'))).toEqual(['17 press', '91 press']);
  });
});

describe('the proof of a conversation', () => {
  it.each([
    ['the document shows another', seenLook('c1', { shownConversation: 'c2' })],
    ['the address is of another', seenLook('c2')],
    ['it is a page that starts one', seenLook(null)],
  ])('fails when %s, and nothing is typed', async (_what, look) => {
    const scene = new DeliveryScene();
    scene.handlers.look = () => look;
    await scene.deliver();
    await scene.clock.elapse(10_500);
    expect(reasons(scene)).toEqual(['conversation_not_shown']);
    expect(scene.calls).not.toContain('17 compose');
  });

  const unnamed = () => seenLook('c1', { shownConversation: null });
  const view = (...ids: string[]): PageView => ({
    conversationId: null,
    messages: ids.map((id) => ({ role: 'assistant', id, text: id, isFinished: true })),
  });
  const reading = (...ids: string[]) => ({
    kind: 'response',
    status: 200,
    contentType: 'application/json',
    isChallenge: false,
    body: JSON.stringify({
      conversationId: 'c1',
      messages: ids.map((id): SiteMessage => ({ role: 'assistant', id, parentId: null, text: id, state: 'final' })),
    }),
  });

  it('is a message that it is known to have, where the document does not name it', async () => {
    const scene = new DeliveryScene();
    Object.assign(scene.handlers, { look: unnamed, view: () => view('a0', 'a1') });
    await scene.deliver({ assistant_message_id: 'a1' });
    expect(scene.calls).toEqual(['17 look', '17 view', '17 look', '17 compose', '17 press']);
  });

  it.each([
    ['has a message of the page', reading('a0', 'a1'), undefined],
    ['has none of the messages of the page', reading('b0'), 'other_conversation'],
    ['cannot be had', { kind: 'failed', reason: 'no_token' }, 'conversation_not_proven'],
  ])('is a reading of the site that %s', async (_what, outcome, reason) => {
    const scene = new DeliveryScene();
    Object.assign(scene.handlers, { look: unnamed, view: () => view('a1'), read: () => outcome });
    await scene.deliver();
    expect(scene.results[0]?.reason).toBe(reason);
    expect(scene.calls.includes('17 compose')).toBe(reason === undefined);
  });
});

describe('a reading for the agent', () => {
  const message = (id: string, role: SiteMessage['role'], text: string): SiteMessage => ({
    role,
    id,
    parentId: null,
    text,
    state: 'final',
  });
  const reads = (messages: SiteMessage[], conversationId = 'c1') => ({
    read: () => ({
      kind: 'response',
      status: 200,
      contentType: 'application/json',
      isChallenge: false,
      body: JSON.stringify({ conversationId, messages }),
    }),
  });

  it('is what the site says, and names the plan of a message that this browser has sent', async () => {
    const scene = new DeliveryScene();
    await scene.deliver();
    await scene.responds(await scene.sends({ text: 'carry  on' }), 200);
    await scene.clock.elapse(1_500);
    Object.assign(scene.handlers, reads([message('u1', 'user', 'carry  on'), message('a1', 'assistant', 'yes')]));
    await scene.read();
    expect(scene.results.at(-1)).toMatchObject({ accepted: true, completed: true, failed: false });
    expect(scene.results.at(-1)?.conversation).toEqual({
      conversation_id: 'c1',
      source: 'site',
      messages: [
        { role: 'user', message_id: 'u1', text: 'carry  on', plan_id: 'p1' },
        { role: 'assistant', message_id: 'a1', text: 'yes', plan_id: null },
      ],
    });
  });

  it.each([
    ['a challenge', { kind: 'response', status: 200, contentType: '', isChallenge: true, body: '' }],
    ['a failure', { kind: 'failed', reason: 'network' }],
    ['another conversation', reads([], 'c2').read()],
  ])('is the view of the page when the site gives %s', async (_what, outcome) => {
    const scene = new DeliveryScene();
    scene.handlers.read = () => outcome;
    scene.handlers.view = () => ({
      conversationId: 'c1',
      messages: [{ role: 'user', id: null, text: 'hello', isFinished: true }],
    });
    await scene.read();
    expect(scene.results[0]?.conversation).toMatchObject({ source: 'page', messages: [{ text: 'hello' }] });
  });

  it('without a conversation is of the tab that the person looks at', async () => {
    const scene = new DeliveryScene();
    scene.tabs = [
      scene.tab(17, 'https://chatgpt.com/c/c1', { isActive: true }),
      scene.tab(30, 'https://chatgpt.com/c/c2'),
      scene.tab(40, 'https://chatgpt.com/'),
    ];
    Object.assign(scene.handlers, reads([]));
    await scene.read({ conversation_id: null, tab_id: null });
    expect(scene.results[0]?.conversation).toMatchObject({ conversation_id: 'c1', source: 'site' });
    expect(used(scene)).toBe('17 look');
  });

  it('opens the conversation when no tab has it, and closes that tab again', async () => {
    const scene = new DeliveryScene();
    scene.tabs = [];
    Object.assign(scene.handlers, reads([]));
    await scene.read();
    expect([scene.opened.length, scene.closed]).toEqual([1, [91]]);
  });

  it('holds the newest 500 messages and one mebibyte of text', async () => {
    const scene = new DeliveryScene();
    Object.assign(scene.handlers, reads(Array.from({ length: 600 }, (_, n) => message(`m${n}`, 'user', 'x'))));
    await scene.read();
    const many = scene.results[0]?.conversation?.messages;
    expect([many?.length, many?.[0]?.message_id, many?.at(-1)?.message_id]).toEqual([500, 'm100', 'm599']);
    const long = ['a', 'b', 'c'].map((id) => message(id, 'user', id.repeat(500_000)));
    Object.assign(scene.handlers, reads(long));
    await scene.read({ request_id: 'q2' });
    expect(scene.results[1]?.conversation?.messages.map(({ message_id }) => message_id)).toEqual(['b', 'c']);
  });

  it('fails with a reason when no page shows the conversation', async () => {
    const scene = new DeliveryScene();
    scene.handlers.look = () => seenLook('c2');
    await scene.read({ timeout_ms: 10_000 });
    await scene.clock.elapse(10_000);
    expect(scene.results[0]).toMatchObject({ failed: true, reason: 'conversation_not_shown', conversation: null });
  });
});
