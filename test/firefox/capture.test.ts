/** Answers of a chat page, from the site's response to the agent, in a real Firefox with the extension and a real bridge. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { BridgeAgent } from '../support/extension/bridge-agent.ts';
import { buildExtension, EXTENSION_ORIGIN, EXTENSION_PREFERENCES } from '../support/extension/installed.ts';
import { ChatgptSite } from '../support/sites/chatgpt/chatgpt-site.ts';
import { defaultControl } from '../support/sites/chatgpt/turn.ts';
import type { FirefoxTab } from '../support/sites/firefox-tab.ts';
import { KEYS } from '../support/sites/firefox-tab.ts';
import { describeWithFirefox, Firefox } from '../support/sites/open-firefox.ts';
import { SitesServer } from '../support/sites/server.ts';
import { gate } from '../support/sites/streaming.ts';

const BLOCK = '```baa\n@node::read {"path": "a"}\n```';
const COMPOSER = '#prompt-textarea';

describeWithFirefox('the capture of answers', () => {
  const site = new ChatgptSite();
  let folder: string;
  let agent: BridgeAgent;
  let server: SitesServer;
  let firefox: Firefox;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'conductor-capture-'));
    agent = new BridgeAgent(folder, EXTENSION_ORIGIN);
    await agent.start();
    server = await SitesServer.start([site]);
    firefox = await Firefox.start({ port: server.port, preferences: EXTENSION_PREFERENCES });
    const path = join(folder, 'extension');
    await buildExtension(path, agent.url);
    await firefox.install(path);
    await agent.connected();
  });
  beforeEach(() => {
    Object.assign(site.control, defaultControl());
    agent.messages.length = 0;
  });
  afterAll(async () => {
    await firefox.close();
    await server.stop();
    await agent.stop();
    await rm(folder, { recursive: true, force: true });
    expect(server.errors).toEqual([]);
  });

  async function ask(tab: FirefoxTab, text: string): Promise<void> {
    await tab.until((selector) => document.querySelector(selector) !== null, COMPOSER);
    await tab.click(COMPOSER);
    await tab.type(`${text}${KEYS.enter}`);
  }

  it('an answer of the stream reaches the agent once, and the page agrees with it', async () => {
    site.control.turns.push({ text: `Done.\n\n${BLOCK}\n` });
    const tab = await firefox.openTab('https://chatgpt.com/');
    await ask(tab, 'hi');
    const [message] = await agent.received(1);
    const [conversation] = site.conversations.keys();
    expect(message).toMatchObject({
      platform: 'chatgpt',
      conversation_id: conversation,
      raw_text: `Done.\n\n${BLOCK}\n`,
      role: 'assistant',
      shell_page: false,
      capture: { source: 'network', other: 'agrees' },
    });
    await tab.reload();
    await tab.until(() => document.querySelector('#thread')?.textContent?.includes('@node::read'));
    await tab.close();
    expect(agent.messages).toHaveLength(1);
  });

  it('an answer that was handed over to a WebSocket is read once', async () => {
    site.control.turns.push({ text: `By another way.\n\n${BLOCK}\n`, transport: 'handoff' });
    const tab = await firefox.openTab('https://chatgpt.com/');
    await ask(tab, 'hi');
    const [message] = await agent.received(1);
    expect(message).toMatchObject({ raw_text: `By another way.\n\n${BLOCK}\n`, capture: { other: 'agrees' } });
    await tab.close();
  });

  it('a reload in the middle of an answer still captures it, once', async () => {
    const half = gate();
    site.control.turns.push({ text: `Slow.\n\n${BLOCK}\n`, half });
    const tab = await firefox.openTab('https://chatgpt.com/');
    await ask(tab, 'hi');
    await tab.until(() => location.pathname.startsWith('/c/'));
    await tab.reload();
    half.open();
    const [message] = await agent.received(1);
    expect(message).toMatchObject({ raw_text: `Slow.\n\n${BLOCK}\n` });
    await tab.close();
    expect(agent.messages).toHaveLength(1);
  });

  it('an answer that ends while the agent is away reaches it after its restart', async () => {
    await agent.stop();
    site.control.turns.push({ text: 'While you were away.' });
    const tab = await firefox.openTab('https://chatgpt.com/');
    await ask(tab, 'hi');
    await tab.until(() => document.querySelector('#thread')?.textContent?.includes('While you were away.'));
    await agent.start();
    const [message] = await agent.received(1);
    expect(message).toMatchObject({ raw_text: 'While you were away.' });
    await tab.close();
  });
});
