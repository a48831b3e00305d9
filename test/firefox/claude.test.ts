/** Answers of claude.ai, from both of its interfaces to the agent, in a real Firefox with the extension and a real bridge. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { BridgeAgent } from '../support/extension/bridge-agent.ts';
import { buildExtension, EXTENSION_ORIGIN, EXTENSION_PREFERENCES } from '../support/extension/installed.ts';
import { FakeClaude } from '../support/sites/claude/fake-claude.ts';
import type { FakePage } from '../support/sites/claude/page/main.ts';
import type { FakeClaudeOptions } from '../support/sites/claude/page-files.ts';
import type { FirefoxTab } from '../support/sites/firefox-tab.ts';
import { KEYS } from '../support/sites/firefox-tab.ts';
import { describeWithManifests } from '../support/sites/manifests.ts';
import { Firefox } from '../support/sites/open-firefox.ts';
import { SitesServer } from '../support/sites/server.ts';
import { gate } from '../support/sites/streaming.ts';

const BLOCK = '```baa\n@node::read {"path": "a"}\n```';
const HIDDEN = '```baa\n@node::never {}\n```';
const COMPOSER = '.ProseMirror';

declare const window: Window & { fakePage: FakePage };

describeWithManifests('on claude.ai', (manifest) => {
  let site = new FakeClaude({ accounts: 'merged' });
  let folder: string;
  let agent: BridgeAgent;
  let server: SitesServer;
  let firefox: Firefox;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'conductor-claude-'));
    agent = new BridgeAgent(folder, EXTENSION_ORIGIN);
    await agent.start();
    const current = {
      hosts: ['claude.ai'],
      handle: (...args: Parameters<FakeClaude['handle']>) => site.handle(...args),
    };
    server = await SitesServer.start([current]);
    firefox = await Firefox.start({ port: server.port, wire: agent.wire, preferences: EXTENSION_PREFERENCES });
    const path = join(folder, 'extension');
    await buildExtension(path, agent.url, manifest);
    await firefox.install(path);
    await agent.connected();
  });
  afterAll(async () => {
    await firefox.close();
    await server.stop();
    await agent.stop();
    await rm(folder, { recursive: true, force: true });
    expect(server.errors).toEqual([]);
  });

  async function open(options: FakeClaudeOptions, path = '/new'): Promise<FirefoxTab> {
    site = new FakeClaude(options);
    agent.messages.length = 0;
    const tab = await firefox.openTab(`https://claude.ai${path}`);
    await tab.until((selector) => document.querySelector(selector) !== null, COMPOSER);
    return tab;
  }
  async function ask(tab: FirefoxTab, text: string): Promise<void> {
    await tab.click(COMPOSER);
    await tab.type(`${text}${KEYS.enter}`);
  }
  const shows = (tab: FirefoxTab, text: string) =>
    tab.until((wanted) => document.querySelector('#thread')?.textContent?.includes(wanted), text);
  /** What comes after it shows that nothing came for what was before. */
  async function askPlainly(tab: FirefoxTab, count: number): Promise<void> {
    await tab.until(
      () => document.querySelector('[aria-label="Send message"], [aria-label="Nachricht senden"]') !== null,
    );
    site.answers.push({ text: 'The last answer.' });
    await ask(tab, 'one more');
    const messages = await agent.received(count + 1);
    expect(messages.map(({ raw_text }) => raw_text).at(-1)).toBe('The last answer.');
    expect(messages).toHaveLength(count + 1);
  }

  it.each<[string, FakeClaudeOptions]>([
    ['by Connect', { accounts: 'merged', turnKeys: 'own' }],
    [
      'by Connect, with packed requests and rows named by the question',
      { accounts: 'merged', gzip: true, turnKeys: 'hub' },
    ],
    ['by Connect, with rows named late', { accounts: 'merged', turnKeys: 'late', language: 'de' }],
  ])('an answer reaches the agent once, and the page agrees: %s', async (_name, options) => {
    const tab = await open(options);
    const hold = gate();
    const tool = { output: HIDDEN, after: `After.\n\n${BLOCK}` };
    site.answers.push({ text: 'Before.', thinking: HIDDEN, tool, hold, closes: true, divider: true });
    await ask(tab, 'hi');
    await shows(tab, 'Bef');
    hold.open();
    const [message] = await agent.received(1);
    const [conversation] = site.conversations.values();
    expect(message).toMatchObject({
      platform: 'claude',
      conversation_id: conversation?.id,
      assistant_message_id: conversation?.messages[1]?.id,
      raw_text: `Before.\n\nAfter.\n\n${BLOCK}`,
      role: 'assistant',
      shell_page: false,
      capture: { source: 'network', other: 'agrees' },
    });
    await tab.reload();
    await shows(tab, 'After.');
    await askPlainly(tab, 1);
    await tab.close();
  });

  it.each<[string, FakeClaudeOptions]>([
    ['with the present page', { accounts: 'legacy' }],
    ['with an older page', { accounts: 'legacy', isOlderPage: true, language: 'de' }],
  ])('an answer of a completion reaches the agent once: %s', async (_name, options) => {
    const tab = await open(options);
    const tool = { output: HIDDEN, after: `After.\n\n${BLOCK}` };
    const style = { newline: '\r\n', padding: 30 } as const;
    site.answers.push({ text: 'Before.', thinking: HIDDEN, tool, style });
    await ask(tab, 'hi');
    const [message] = await agent.received(1);
    // The rows of these accounts name no message, so the page has no opinion on one.
    expect(message).toMatchObject({ raw_text: `Before.\n\nAfter.\n\n${BLOCK}`, capture: { other: 'absent' } });
    await tab.reload();
    await shows(tab, 'After.');
    await askPlainly(tab, 1);
    await tab.close();
  });

  it.each(['no_end', 'cut'] as const)('an answer whose stream ends by %s is read from the site', async (failure) => {
    const tab = await open({ accounts: 'legacy' });
    const hold = gate();
    site.answers.push({ text: `Half and whole.\n\n${BLOCK}`, failure, hold });
    await ask(tab, 'hi');
    await shows(tab, 'Half');
    hold.open();
    const [message] = await agent.received(1);
    expect(message).toMatchObject({ raw_text: `Half and whole.\n\n${BLOCK}` });
    await tab.close();
  });

  it('an answer that the person stops never reaches the agent', async () => {
    const tab = await open({ accounts: 'merged' });
    site.answers.push({ text: `${BLOCK} and the rest`, hold: gate() });
    await ask(tab, 'hi');
    await shows(tab, '@node');
    await tab.click('[data-testid="chat-input-stop"]');
    await askPlainly(tab, 0);
    await tab.close();
  });

  it.each(['merged', 'legacy'] as const)(
    'an answer that is asked for again, and one to an edited question, are messages of their own (%s)',
    async (accounts) => {
      const tab = await open({ accounts });
      site.answers.push({ text: 'First.' }, { text: 'Second.' }, { text: 'Third.' });
      await ask(tab, 'hi');
      await agent.received(1);
      await tab.evaluate(() => window.fakePage.retry());
      await agent.received(2);
      await tab.evaluate(() => window.fakePage.edit('hello'));
      const messages = await agent.received(3);
      expect(messages.map(({ raw_text }) => raw_text)).toEqual(['First.', 'Second.', 'Third.']);
      expect(new Set(messages.map(({ assistant_message_id }) => assistant_message_id)).size).toBe(3);
      await tab.close();
    },
  );

  it('a refused send gives no message', async () => {
    const tab = await open({ accounts: 'merged' });
    site.answers.push({ text: '', refusal: 'stale_parent' });
    await ask(tab, 'hi');
    await tab.until(() => document.querySelector('[data-fake-failure]') !== null);
    await askPlainly(tab, 0);
    await tab.close();
  });

  it('a reload in the middle of an answer still captures it, once', async () => {
    const tab = await open({ accounts: 'merged' });
    const hold = gate();
    site.answers.push({ text: `Slow.\n\n${BLOCK}`, hold });
    await ask(tab, 'hi');
    await shows(tab, 'Slow');
    await tab.reload();
    await shows(tab, 'Slow');
    hold.open();
    const [message] = await agent.received(1);
    expect(message).toMatchObject({ raw_text: `Slow.\n\n${BLOCK}`, capture: { other: 'agrees' } });
    if (process.env.SCREENSHOTS !== undefined) {
      await writeFile(join(process.env.SCREENSHOTS, 'claude-extension.png'), await tab.screenshot());
    }
    await askPlainly(tab, 1);
    await tab.close();
  });

  it('two tabs of one conversation give each answer once', async () => {
    const tab = await open({ accounts: 'merged' });
    await ask(tab, 'hi');
    await agent.received(1);
    const second = await firefox.openTab(await tab.url());
    await shows(second, 'You said: hi');
    await askPlainly(tab, 1);
    await shows(second, 'The last answer.');
    await second.close();
    await tab.close();
  });
});
