/** The status page in a real Firefox: what a person sees and does there, through to what it changes. */
import { createServer } from 'node:http';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { SystemState } from '../../schema/contracts/system.ts';
import type { SignInLink, TokenCreated } from '../../schema/contracts/tokens.ts';
import { until } from '../support/cluster.ts';
import { CutProxy } from '../support/cut-proxy.ts';
import { actionCases } from '../support/page-actions.ts';
import { addressedCases } from '../support/page-addressed.ts';
import { driftCase } from '../support/page-drift.ts';
import { failedReadCase } from '../support/page-failed-read.ts';
import { frameCases } from '../support/page-frame.ts';
import { ROWS, rowCases } from '../support/page-rows/cases.ts';
import { beginUnsure } from '../support/page-rows/instructions.ts';
import { beginFailing, RETRY } from '../support/page-rows/others.ts';
import { HOSTILE, PageScene } from '../support/page-scene.ts';
import { sleepCase } from '../support/page-sleep.ts';
import { buttonsOf, navigationOf, press, seriousFindings, shows, unfold, unreachedByTab } from '../support/page-tab.ts';
import type { FirefoxTab } from '../support/sites/firefox-tab.ts';
import { KEYS } from '../support/sites/firefox-tab.ts';
import { describeWithFirefox } from '../support/sites/open-firefox.ts';
import { pageOf } from '../support/test-browser.ts';

const NAMES = [
  'Now',
  'Conversations',
  'Instructions',
  'Renewals',
  'Tasks',
  'Nodes',
  'Browsers',
  'Leadership',
  'Ticks',
  'Tokens',
  'Audit',
  'Settings',
];
const PHONE = 375;
const MINUTE_MS = 60_000;
/** Panels with charts of what the cases before have done. */
const DRAWN = ['/renewals', '/ticks'];
const GRANT = {
  controller_id: 'host-a',
  argv: ['git', 'push'],
  folder: '/a/folder',
  max_uses: 5,
  expires_in_ms: 10 * MINUTE_MS,
};

let scene: PageScene;
let tab: FirefoxTab;

describeWithFirefox('the status page in a real Firefox', () => {
  beforeAll(async () => {
    scene = await PageScene.start();
    tab = scene.tab;
    await beginFailing(scene);
    await beginUnsure(scene);
  }, 5 * MINUTE_MS);
  afterAll(() => scene?.stop());

  const call = <T>(...asked: Parameters<PageScene['cluster']['call']>) => scene.cluster.call<T>(...asked);
  const at = (path: string) => scene.at(path);
  const mode = async () => (await call<SystemState>('GET', '/v1/system/state')).mode;
  it('signs in by a link once, and shows what is now', async () => {
    await shows(tab, /System.*Running.*host-a/);
    expect(await tab.url()).toBe(`${scene.cluster.stack.edgeUrl}/`);
    expect(await navigationOf(tab)).toEqual(NAMES);
    await shows(tab, /Live/);
  });

  it('runs no script but its own', async () => {
    const ran = await tab.evaluate(() => {
      const inline = document.createElement('script');
      let isRefused = false;
      try {
        inline.textContent = 'globalThis.ranInline = true';
        document.head.append(inline);
      } catch {
        isRefused = true;
      }
      return { isRefused, ran: (globalThis as { ranInline?: boolean }).ranInline ?? false };
    });
    expect(ran.ran).toBe(false);
  });

  frameCases(() => scene);

  actionCases(() => scene);

  it('says of an empty list how one comes to be, and of a filtered one that it is filtered', async () => {
    await at('/grants');
    await shows(tab, /There is no grant yet\. One is made on the page of an instruction/);
    await at('/grants?local_conversation_id=lc_01arz3ndektsv4rrffq69g5fav');
    await shows(tab, /Nothing here matches the filters/);
  });

  rowCases(() => scene, ROWS);

  it('shows notices of what waits once a person has asked for them, and none after', async () => {
    await scene.instruction('@conductor::exec::{"argv": ["id"]}', 'awaiting_approval');
    await at('/settings');
    await tab.evaluate(() => {
      const shown: string[] = [];
      const { permission } = Notification;
      const requestPermission = Notification.requestPermission.bind(Notification);
      // The desktop has no place for it that a test can look at.
      const notified = class {
        static readonly permission = permission;
        static readonly requestPermission = requestPermission;
        constructor(title: string, { body = '' }: NotificationOptions = {}) {
          shown.push(`${title} ${body}`);
        }
      };
      Object.assign(globalThis, { shown, Notification: notified });
    });
    await press(tab, 'Show notices of this page');
    // What waits at the first look is one notice, however much it is.
    await tab.until(() => {
      const { shown } = globalThis as unknown as { shown: string[] };
      return shown.length === 1 && /^\d+ things? waits? for you/.test(shown[0] ?? '');
    });
    await press(tab, 'Stop notices of this page');
    await shows(tab, /Show notices of this page/);
    expect(await tab.evaluate(() => localStorage.getItem('conductor.notices'))).toBeNull();
  });

  it('shows HTML and terminal escapes of titles, logs, patches and outputs as text', async () => {
    const escapes = HOSTILE.replaceAll('\u001b', '\\033').replaceAll('\u0007', '\\007');
    const script = `printf '${escapes}\\033[31mred\\n' | tee hostile.txt`;
    const task = await scene.newTask(`Title ${HOSTILE}`, { input: { script } }, { repo: 'app', base_ref: 'main' });
    await scene.taskIs(task, ({ status }) => status === 'done');
    const page = { platform: 'claude' as const, page_title: `Chat ${HOSTILE}` };
    scene.show({ ...pageOf('a-chat', 'claude'), ...page });
    const printed = await scene.instruction(
      `@conductor::exec::${JSON.stringify({ argv: ['printf', `${escapes}output`] })}`,
      'succeeded',
    );
    await tab.setViewport(PHONE, 900);
    const places = [
      `/tasks/${task}`,
      '/',
      '/tasks',
      '/search?q=onerror',
      `/instructions/${printed.instruction_id}`,
      `/conversations/${printed.local_conversation_id}`,
      `/messages/${printed.message_id}`,
    ];
    for (const path of places) {
      await at(path);
      if (path === places[0]) {
        await press(tab, 'Show: changes');
        await shows(tab, /\+<img src=x/);
      }
      await shows(tab, path === '/' ? /Newest/ : /<img src=x/);
      const made = await tab.evaluate(() => ({
        ran: 'ran' in globalThis,
        elements: document.querySelectorAll('main img, main script').length,
        hidden: ['\u202e', '\u001b', '\u0007'].some((char) =>
          (document.body.innerText + document.title).includes(char),
        ),
        overflow: document.documentElement.scrollWidth - innerWidth > 0,
      }));
      expect(made, path).toEqual({ ran: false, elements: 0, hidden: false, overflow: false });
    }
    await scene.wide();
  });

  /** Pages with a form for a person to fill in: an approval with its grant, an interrupted instruction, a blocked step. */
  const forms = async () => {
    const waiting = await scene.instruction('@conductor::exec::{"argv": ["git", "push"]}', 'awaiting_approval');
    // Nothing is sent to a site that has asked to wait, as one has in an earlier case.
    await until(async () => {
      type Policy = { policy: { targets: { backoff_until: number | null }[] } };
      const { targets } = (await call<Policy>('GET', '/v1/browser')).policy;
      return targets.every(({ backoff_until }) => (backoff_until ?? 0) < Date.now());
    });
    await beginUnsure(scene);
    const unsure = await scene.instructionThatIs('interrupted');
    const task = await scene.newTask('A review', { kind: 'review', input: { question: 'Is it good?' } });
    await scene.taskIs(task, ({ status }) => status === 'blocked');
    return [waiting, unsure].map(({ instruction_id }) => `/instructions/${instruction_id}`).concat(`/tasks/${task}`);
  };

  let formsMade: readonly string[] = [];

  it.each([
    ['en', 'light'],
    ['zh', 'dark'],
  ])(
    'has no serious finding of axe-core, fits a phone, and lets the keyboard reach all: %s, %s',
    async (language, scheme) => {
      await tab.evaluate((chosen) => localStorage.setItem('conductor.language', chosen), language);
      await at('/');
      const panels = await tab.evaluate(() =>
        [...document.querySelectorAll('nav:first-of-type a')].map((link) => link.getAttribute('href') ?? ''),
      );
      expect(panels).toHaveLength(NAMES.length);
      const newest = async (list: string, key: string) =>
        String((await call<{ items: Record<string, unknown>[] }>('GET', `${list}?limit=1`)).items[0]?.[key]);
      const task = await newest('/v1/tasks', 'task_id');
      const conversation = await newest('/v1/renewal/conversations', 'local_conversation_id');
      await call('POST', '/v1/grants', { ...GRANT, local_conversation_id: conversation });
      const { runs } = await scene.taskIs(task, ({ runs: found }) => found.length > 0);
      if (formsMade.length === 0) formsMade = await forms();
      const details = [
        `/conversations/${conversation}`,
        `/messages/${await newest('/v1/messages', 'message_id')}`,
        `/instructions/${await newest('/v1/instructions', 'instruction_id')}`,
        ...[`/tasks/${task}`, `/runs/${runs[0]?.run_id}`, '/nodes/host-a', `/browsers/${scene.browser.clientId}`],
        ...['/grants', '/ticks/1', '/search?q=title', '/tasks/nothing'],
        ...formsMade,
      ];
      await tab.setViewport(PHONE, 900);
      const found: Record<string, unknown> = {};
      for (const path of [...panels, ...details]) {
        await at(path);
        await unfold(tab);
        if (DRAWN.includes(path)) await tab.until(() => document.querySelector('.chart canvas') !== null);
        await tab.evaluate((chosen) => void document.documentElement.style.setProperty('color-scheme', chosen), scheme);
        const overflow = await tab.evaluate(() => document.documentElement.scrollWidth - innerWidth);
        const findings = await seriousFindings(scene.firefox, tab);
        const unreached = language === 'en' ? await unreachedByTab(tab) : [];
        if (overflow > 0 || findings.length > 0 || unreached.length > 0)
          found[path] = { overflow, findings, unreached };
      }
      await tab.evaluate(() => localStorage.removeItem('conductor.language'));
      await scene.wide();
      expect(found).toEqual({});
    },
  );

  it('says under a heading that no object has the id of the address, and leads to its list', async () => {
    const lists = ['/conversations', '/instructions', '/renewals', '/tasks', '/nodes', '/browsers', '/ticks'];
    for (const list of lists) {
      await at(`${list}/no_such_id`);
      await shows(tab, /no_such_id.* not found: none has the id no_such_id/);
      const made = await tab.evaluate(() => ({
        heading: document.querySelector('main h1')?.textContent ?? '',
        up: document.querySelector('main .above a')?.getAttribute('href'),
      }));
      expect(made).toEqual({ heading: expect.stringMatching(/ no_such_id$/), up: list });
    }
  });

  addressedCases(() => scene);

  it('goes by the keyboard from panel to panel and to what it searches, and lists the shortcuts', async () => {
    await at('/');
    expect(await unreachedByTab(tab)).toEqual([]);
    await at('/');
    await tab.type('gt');
    await tab.until(() => location.pathname === '/tasks');
    await tab.type('/');
    await tab.type(`a REVIEW${KEYS.enter}`);
    await shows(tab, /Search: a REVIEW.*Task\s+A review/);
    await press(tab, 'A review');
    await shows(tab, /A review.*Steps on a time axis/);
    await tab.type('/');
    await tab.type(`a TEST.${KEYS.enter}`);
    await shows(tab, /In texts.*Task goal\s+A test\..*were searched back/);
    await tab.type('?');
    await shows(tab, /Keyboard shortcuts.*list the shortcuts/);
    await tab.type(KEYS.escape);
    await tab.until(() => document.querySelector('dialog') === null);
  });

  it('moves nothing for a reader who asked for less motion', async () => {
    const animation = await tab.evaluate(() => {
      const spinner = document.createElement('span');
      spinner.className = 'spinner';
      document.body.append(spinner);
      return getComputedStyle(spinner).animationName;
    });
    expect(animation).toBe('none');
  });

  it('pages and filters a list in its address, which can be shared', async () => {
    const anotherHost = { constraints: { target_host: 'another-host' } };
    for (let n = 0; n < 27; n += 1) await scene.newTask(`Queued ${n}`, { input: { script: 'true' } }, anotherHost);
    await at('/tasks');
    await tab.until(() => {
      const select = document.querySelector<HTMLSelectElement>('#filter-status');
      if (select === null) return false;
      select.value = 'queued';
      return select.dispatchEvent(new Event('change', { bubbles: true }));
    });
    await tab.until(() => location.search === '?status=queued');
    await shows(tab, /Queued 26.*Queued 2\s/);
    await press(tab, 'Older');
    await shows(tab, /Queued 1\s.*Queued 0\s/);
    const shared = await tab.url();
    await at('/');
    await tab.open(shared);
    await shows(tab, /Queued 1\s.*Queued 0\s/);
    await press(tab, 'Newest');
    await shows(tab, /Queued 26/);
  });

  it('says how old what it shows is while the connection is lost, and catches up with what it missed', async () => {
    const proxy = await CutProxy.open(scene.cluster.stack.edgeUrl);
    // Each port has a session of its own.
    const { sign_in_url } = await scene.cluster.call<SignInLink>('POST', '/v1/session/links', {});
    await tab.open(sign_in_url.replace(scene.cluster.stack.edgeUrl, proxy.url));
    await shows(tab, /Live.*New work starts as it comes/);
    proxy.cut('hard');
    await call('POST', '/v1/system/pause', { reason: 'while away' });
    await shows(tab, /No connection; this is \d+ s old.*Running.*New work starts as it comes/);
    proxy.heal();
    await shows(tab, /Live.*Paused.*while away/);
    await call('POST', '/v1/system/resume', {});
    await shows(tab, /New work starts as it comes/);
    await at('/');
    await proxy.close();
  });

  failedReadCase(() => scene);
  sleepCase(() => scene);
  rowCases(() => scene, [RETRY]);
  driftCase(() => scene);

  it('takes no order from a page of another origin, though the browser sends the cookie', async () => {
    const cookies: (string | undefined)[] = [];
    const server = createServer((asked, response) => {
      cookies.push(asked.headers.cookie);
      response.end('<!doctype html><title>Another page</title>');
    });
    await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
    const address = server.address();
    if (address === null || typeof address === 'string') throw new Error('it listens on a port');
    const edge = scene.cluster.stack.edgeUrl;
    await tab.open(`http://127.0.0.1:${address.port}/`);
    expect(cookies[0]).toContain('conductor_session');
    const read = await tab.evaluate(async (base) => {
      const init = { credentials: 'include', method: 'POST' } as const;
      await fetch(`${base}/v1/system/pause`, { ...init, mode: 'no-cors', body: '{}' }).catch(() => null);
      const json = { ...init, headers: { 'content-type': 'application/json' }, body: '{}' };
      await fetch(`${base}/v1/system/pause`, json).catch(() => null);
      return fetch(`${base}/v1/status`, { credentials: 'include' }).then(
        (response) => response.text(),
        () => 'refused',
      );
    }, edge);
    expect([read, await mode()]).toEqual(['refused', 'running']);
    await at('/');
    server.close();
    server.closeAllConnections();
  });

  it('shows what happens after the edge was killed and has started again', async () => {
    await at('/');
    await shows(tab, /New work starts as it comes/);
    scene.cluster.stack.edge.kill();
    await until(() => call('POST', '/v1/system/pause', { reason: 'after the restart' }).catch(() => null));
    await shows(tab, /Paused.*after the restart/);
    await shows(tab, /Live/);
    await call('POST', '/v1/system/resume', {});
    await shows(tab, /New work starts as it comes/);
  });

  it('offers nothing that the role may not do, and asks again when its token is revoked', async () => {
    await at('/');
    await press(tab, 'Sign out');
    await tab.until(() => document.querySelector('#token') !== null);
    const made = await call<TokenCreated>('POST', '/v1/tokens', { role: 'readonly', subject: 'a reader' });
    await tab.click('#token');
    await tab.type(made.token);
    await press(tab, 'Sign in');
    await shows(tab, /System.*Running/);
    expect(await navigationOf(tab)).toEqual(NAMES.filter((name) => name !== 'Tokens' && name !== 'Audit'));
    const offered = await buttonsOf(tab);
    for (const name of ['Pause', 'Drain', 'Resume']) expect(offered).not.toContain(name);
    const waiting = await scene.instruction('@conductor::exec::{"argv": ["whoami"]}', 'awaiting_approval');
    const places = [`/instructions/${waiting.instruction_id}`, `/messages/${waiting.message_id}`, '/nodes/host-a'];
    places.push(`/conversations/${waiting.local_conversation_id}`, '/settings', '/ticks', '/tokens');
    for (const path of places) {
      await at(path);
      // Whether a browser shows notices is for its reader alone.
      const here = (await buttonsOf(tab)).filter((name) => name !== 'Show notices of this page');
      expect(here, path).toEqual(['中文', '?', 'Sign out']);
    }
    await shows(tab, /There is no such page/);
    await call('DELETE', `/v1/tokens/${made.token_id}`);
    await shows(tab, /You were signed out: this token was revoked/);
  });
});
