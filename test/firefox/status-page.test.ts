/** The status page in a real Firefox, with a real edge, a real agent and a browser that the test plays. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Instruction } from '../../schema/contracts/instructions.ts';
import type { SystemState } from '../../schema/contracts/system.ts';
import type { SignInLink, TokenCreated } from '../../schema/contracts/tokens.ts';
import { openBrowser } from '../support/browser.ts';
import type { TestNode } from '../support/cluster.ts';
import { Cluster, until } from '../support/cluster.ts';
import { buttonsOf, navigationOf, press, seriousFindings, shows } from '../support/page-tab.ts';
import type { FirefoxTab } from '../support/sites/firefox-tab.ts';
import { describeWithFirefox, Firefox } from '../support/sites/open-firefox.ts';
import type { TestBrowser } from '../support/test-browser.ts';

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

let cluster: Cluster;
let node: TestNode;
let browser: TestBrowser;
let firefox: Firefox;
let tab: FirefoxTab;

describeWithFirefox('the status page in a real Firefox', () => {
  beforeAll(async () => {
    cluster = await Cluster.start();
    node = await cluster.node('host-a');
    const workspace = join(node.root, 'workspace');
    mkdirSync(workspace, { recursive: true });
    writeFileSync(join(node.root, 'policy.json'), JSON.stringify({ exec: { default: 'ask', shell: 'ask' } }));
    await node.start();
    browser = await openBrowser(cluster, node, 'a-chat');
    // No chat site is needed: the port leads nowhere.
    firefox = await Firefox.start({ port: 1, preferences: { 'intl.accept_languages': 'en-US' } });
    const { sign_in_url } = await cluster.call<SignInLink>('POST', '/v1/session/links', {});
    tab = await firefox.openTab(sign_in_url);
    await tab.setViewport(1_200, 900);
  }, 5 * MINUTE_MS);
  afterAll(async () => {
    await firefox?.close();
    await browser?.close();
    await cluster?.stop();
  });

  const at = (path: string) => tab.open(`${cluster.stack.edgeUrl}${path}`);
  const mode = async () => (await cluster.call<SystemState>('GET', '/v1/system/state')).mode;

  it('signs in by a link once, and shows what is now', async () => {
    await shows(tab, /System.*Running.*host-a/);
    expect(await tab.url()).toBe(`${cluster.stack.edgeUrl}/`);
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

  it('pauses and resumes the system, and says who did it', async () => {
    await press(tab, 'Pause');
    await shows(tab, /The system is paused\..*Confirmed by the edge.*operator@/);
    expect(await mode()).toBe('paused');
    await press(tab, 'Resume');
    await shows(tab, /New work starts as it comes/);
    expect(await mode()).toBe('running');
  });

  it('approves exactly the bytes that it shows, and shows live what becomes of it', async () => {
    const call = '@conductor::exec::{"argv": ["echo", "ma\\u202ein"]}';
    await browser.says('answer-1', ['```baa', call, '```'].join('\n'));
    const { instruction_id } = await until(async () => {
      const list = '/v1/instructions?status=awaiting_approval';
      return (await cluster.call<{ items: Instruction[] }>('GET', list)).items[0];
    });
    await shows(tab, /Waits for you\s+Approval\s+conductor::exec/);
    await at(`/instructions/${instruction_id}`);
    await shows(tab, /"ma\\u\{202e\}in"/);
    expect(await tab.evaluate(() => document.querySelector('.bytes mark')?.textContent)).toBe('\\u{202e}');
    await press(tab, 'Approve');
    await shows(tab, /succeeded.*Started.*Ended/);
    const seen = await cluster.call<Instruction>('GET', `/v1/instructions/${instruction_id}`);
    expect(seen.status).toBe('succeeded');
  });

  it('cancels what runs after a question', async () => {
    const steps = [{ kind: 'shell', name: 'long', input: { script: 'echo begun; sleep 600' } }];
    const body = { task_type: 'shell', title: 'A long <b>task</b>', goal: 'Runs.', steps };
    const { task_id } = await cluster.call<{ task_id: string }>('POST', '/v1/tasks', body);
    await at('/tasks');
    await press(tab, 'A long <b>task</b>');
    await shows(tab, /begun/);
    expect(await tab.url()).toContain(task_id);
    await press(tab, 'Cancel');
    await shows(tab, /Cancel this task\?/);
    await press(tab, 'Cancel');
    await shows(tab, /A long <b>task<\/b>.*canceled/);
  });

  it.each(['en', 'zh'])('has no serious finding of axe-core, and fits a phone: %s', async (language) => {
    await tab.evaluate((chosen) => localStorage.setItem('conductor.language', chosen), language);
    const paths = await tab.evaluate(() =>
      [...document.querySelectorAll('nav:first-of-type a')].map((link) => link.getAttribute('href') ?? ''),
    );
    expect(paths).toHaveLength(NAMES.length);
    await tab.setViewport(PHONE, 900);
    const found: Record<string, unknown> = {};
    for (const path of paths) {
      await at(path);
      await tab.until(() => document.querySelector('main h1') !== null && document.querySelector('.loading') === null);
      const overflow = await tab.evaluate(() => document.documentElement.scrollWidth - innerWidth);
      const findings = await seriousFindings(firefox, tab);
      if (overflow > 0 || findings.length > 0) found[path] = { overflow, findings };
    }
    await tab.evaluate(() => localStorage.removeItem('conductor.language'));
    await tab.setViewport(1_200, 900);
    expect(found).toEqual({});
  });

  it('goes by the keyboard from panel to panel, and lists the shortcuts', async () => {
    await at('/');
    await shows(tab, /Waits for you/);
    await tab.type('gt');
    await tab.until(() => location.pathname === '/tasks');
    await tab.type('?');
    await shows(tab, /Keyboard shortcuts.*list the shortcuts/);
  });

  it('shows what happens after the edge was killed and has started again', async () => {
    await at('/');
    await shows(tab, /New work starts as it comes/);
    cluster.stack.edge.kill();
    await until(() => cluster.call('POST', '/v1/system/pause', { reason: 'after the restart' }).catch(() => null));
    await shows(tab, /Paused.*after the restart/);
    await shows(tab, /Live/);
    await cluster.call('POST', '/v1/system/resume', {});
    await shows(tab, /New work starts as it comes/);
  });

  it('offers nothing that the role may not do, and asks again when its token is revoked', async () => {
    await at('/');
    await press(tab, 'Sign out');
    await tab.until(() => document.querySelector('#token') !== null);
    const made = await cluster.call<TokenCreated>('POST', '/v1/tokens', { role: 'readonly', subject: 'a reader' });
    await tab.click('#token');
    await tab.type(made.token);
    await press(tab, 'Sign in');
    await shows(tab, /System.*Running/);
    expect(await navigationOf(tab)).toEqual(NAMES.filter((name) => name !== 'Tokens' && name !== 'Audit'));
    const offered = await buttonsOf(tab);
    for (const name of ['Pause', 'Drain', 'Resume']) expect(offered).not.toContain(name);
    await cluster.call('DELETE', `/v1/tokens/${made.token_id}`);
    await shows(tab, /You were signed out: this token was revoked/);
  });
});
