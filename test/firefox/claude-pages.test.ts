/** The fake claude.ai in a real Firefox, without the extension: what its pages send, and what they show. */
import { writeFile } from 'node:fs/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { CLAUDE } from '../../extension/sites/claude/claude.ts';
import { FakeClaude } from '../support/sites/claude/fake-claude.ts';
import type { FakeClaudeOptions } from '../support/sites/claude/page-files.ts';
import { KEYS } from '../support/sites/firefox-tab.ts';
import { describeWithFirefox, Firefox } from '../support/sites/open-firefox.ts';
import { SitesServer } from '../support/sites/server.ts';
import { gate } from '../support/sites/streaming.ts';

const TEXT = 'Zeile 🎼 "zwei" \\ drei';
const COMPOSER = '.ProseMirror';
const BLOCK = '```baa\n@local::tool\n{"a": 1}\n```';

describeWithFirefox('the fake claude.ai', () => {
  let site = new FakeClaude({ accounts: 'merged' });
  let server: SitesServer;
  let firefox: Firefox;
  beforeAll(async () => {
    const current = {
      hosts: ['claude.ai'],
      handle: (...args: Parameters<FakeClaude['handle']>) => site.handle(...args),
    };
    server = await SitesServer.start([current]);
    firefox = await Firefox.start({ port: server.port });
  });
  afterAll(async () => {
    await firefox.close();
    await server.stop();
    expect(server.errors).toEqual([]);
  });

  async function open(options: FakeClaudeOptions, path = '/new') {
    site = new FakeClaude(options);
    server.log.length = 0;
    return await firefox.openTab(`https://claude.ai${path}`);
  }
  async function say(tab: Awaited<ReturnType<typeof open>>, text = TEXT) {
    await tab.until((selector) => document.querySelector(selector) !== null, COMPOSER);
    await tab.click(COMPOSER);
    await tab.type(text + KEYS.enter);
  }
  /** Saves what a person would see, for a look at it. */
  async function look(tab: Awaited<ReturnType<typeof open>>, name: string) {
    const folder = process.env.SCREENSHOTS;
    if (folder !== undefined) await writeFile(`${folder}/${name}.png`, await tab.screenshot());
  }
  const sends = () =>
    server
      .received(/PerformAction|completion$/)
      .map(({ method, path, body }) =>
        CLAUDE.wire.readSend({ method, url: new URL(path, 'https://claude.ai') }, { kind: 'bytes', bytes: body }),
      );

  it.each([
    ['merged', true],
    ['merged', false],
    ['legacy', false],
  ] as const)('sends, streams and shows an answer with a %s account (gzip: %s)', async (accounts, gzip) => {
    const tab = await open({ accounts, gzip });
    const hold = gate();
    site.answers.push({
      text: `Before.\n\n${BLOCK}`,
      thinking: BLOCK,
      tool: { output: BLOCK, after: 'After.' },
      hold,
      closes: true,
    });
    await say(tab);
    await tab.until(() => document.body.textContent?.includes('Before.') ?? false);
    expect(await tab.evaluate(() => location.pathname)).toMatch(/^\/chat\/[0-9a-f-]{36}$/);
    hold.open();
    await tab.until(
      () =>
        (document.body.textContent?.includes('After.') ?? false) &&
        !document.querySelector('[data-perf-row-streaming], [data-is-streaming=true]'),
    );
    expect(await tab.evaluate(() => document.querySelectorAll('code.language-baa').length)).toBe(1);
    expect(site.sends).toMatchObject([{ text: TEXT, wasGzip: gzip }]);
    const path = await tab.evaluate(() => location.pathname);
    expect(sends().filter((one) => one !== 'no_send')).toMatchObject([
      { kind: 'message', text: TEXT, conversationId: path.replace('/chat/', '') },
    ]);
    await look(tab, `claude-${accounts}`);
    await tab.reload();
    await tab.until(() => document.body.textContent?.includes('After.') ?? false);
    await tab.close();
  });

  it.each(['merged', 'legacy'] as const)('asks again and edits with a %s account', async (accounts) => {
    const tab = await open({ accounts });
    await say(tab);
    const idle = () => !document.querySelector('[data-perf-row-streaming], [data-is-streaming=true]');
    await tab.until((text) => document.body.textContent?.includes(`You said: ${text}`) ?? false, TEXT);
    await tab.until(idle);
    site.answers.push({ text: 'Another answer' });
    await tab.evaluate(() => (window as unknown as { fakePage: { retry(): void } }).fakePage.retry());
    await tab.until(() => document.body.textContent?.includes('Another answer') ?? false);
    await tab.until(idle);
    await tab.evaluate(() =>
      (window as unknown as { fakePage: { edit(text: string): void } }).fakePage.edit('other words'),
    );
    await tab.until(() => document.body.textContent?.includes('You said: other words') ?? false);
    const kinds = sends().map((one) => (one === 'no_send' || one === null ? one : one.kind));
    // In the JSON interface an edit is a message with an older parent, which only the site knows.
    const expected = accounts === 'merged' ? ['message', 'regenerate', 'edit'] : ['message', 'regenerate', 'message'];
    expect(kinds.filter((kind) => kind !== 'no_send')).toEqual(expected);
    await tab.close();
  });

  it('shows a refusal of the timeline, and stops an answer', async () => {
    const tab = await open({ accounts: 'merged' });
    site.answers.push({ text: '', refusal: 'stale_parent' });
    await say(tab);
    await tab.until(() => document.body.textContent?.includes('stale_parent') ?? false);
    const hold = gate();
    site.answers.push({ text: 'Half of it and more', hold });
    await say(tab);
    await tab.until(() => document.body.textContent?.includes('Half of it') ?? false);
    await tab.click('[data-testid="chat-input-stop"]');
    await tab.until(() => document.querySelector('[data-testid="chat-input-send"]') !== null);
    hold.open();
    expect([...site.conversations.values()][0]?.messages.at(-1)?.stop).toBe('user_canceled');
    expect(site.rpc.actions).toContain('stop');
    await tab.close();
  });

  it('shows an older version, a limit, a security check and the sign-in page', async () => {
    const tab = await open({ accounts: 'merged', language: 'de' });
    site.showsOldVersion = true;
    site.limitBanner = "You've reached your limit. Resets at 5:00 PM";
    await tab.reload();
    await tab.until(() => document.querySelector('[data-testid="hub-earlier-version-back"]') !== null);
    await look(tab, 'claude-banners');
    site.session = 'challenge';
    await tab.reload();
    expect(await tab.evaluate(() => document.querySelector('#challenge-form') !== null)).toBe(true);
    site.session = 'signed_out';
    await tab.open('https://claude.ai/new');
    await tab.until(() => document.querySelector('[data-testid="login-with-google"]') !== null);
    await look(tab, 'claude-sign-in');
    await tab.close();
  });
});
