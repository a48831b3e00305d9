/** The pages of the fake ChatGPT in a real Firefox, without the extension: what a person does in them works. */
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { ChatgptSite } from '../support/sites/chatgpt/chatgpt-site.ts';
import { defaultControl } from '../support/sites/chatgpt/turn.ts';
import type { FirefoxTab } from '../support/sites/firefox-tab.ts';
import { KEYS } from '../support/sites/firefox-tab.ts';
import { describeWithFirefox, Firefox } from '../support/sites/open-firefox.ts';
import { ACCESS_TOKEN } from '../support/sites/secrets.ts';
import { SitesServer } from '../support/sites/server.ts';
import { gate } from '../support/sites/streaming.ts';

const COMPOSER = { legacy: '#prompt-textarea', 'app-shell': 'main:not([hidden]) [role=textbox]' };

describeWithFirefox('the fake ChatGPT', () => {
  const site = new ChatgptSite();
  let server: SitesServer;
  let firefox: Firefox;
  beforeAll(async () => {
    server = await SitesServer.start([site]);
    firefox = await Firefox.start({ port: server.port });
  });
  beforeEach(() => {
    Object.assign(site.control, defaultControl());
    site.sent.length = 0;
  });
  afterAll(async () => {
    await firefox.close();
    await server.stop();
    expect(server.errors).toEqual([]);
  });

  async function ask(tab: FirefoxTab, text: string): Promise<void> {
    const composer = COMPOSER[site.control.renderer];
    await tab.until((selector) => document.querySelector(selector) !== null, composer);
    await tab.click(composer);
    await tab.type(`${text}${KEYS.enter}`);
  }

  const shows = (tab: FirefoxTab, text: string) =>
    tab.until((wanted) => document.querySelector('#thread')?.textContent?.includes(wanted), text);

  it.each(['legacy', 'app-shell'] as const)(
    'answers a message, and shows it again after a reload, in %s',
    async (renderer) => {
      Object.assign(site.control, { renderer });
      site.control.turns.push({ text: 'Hello.\n\n```baa\n@node::read {"path": "a"}\n```\n' });
      const tab = await firefox.openTab('https://chatgpt.com/');
      await ask(tab, 'hi 🎼');
      await shows(tab, '@node::read');
      await tab.until(() => location.pathname.startsWith('/c/'));
      expect(site.sent).toMatchObject([{ text: 'hi 🎼', action: 'next' }]);
      await tab.reload();
      await shows(tab, '@node::read');
      await tab.close();
    },
  );

  it.each(['handoff', 'cumulative'] as const)('shows an answer that comes by %s', async (transport) => {
    site.control.turns.push({ text: 'By another way.', transport });
    const tab = await firefox.openTab('https://chatgpt.com/');
    await ask(tab, 'hi');
    await shows(tab, 'By another way.');
    await tab.close();
  });

  it.each([true, false])('continues an answer after a reload in the middle (resumable: %s)', async (isResumable) => {
    Object.assign(site.control, { isResumable });
    const half = gate();
    site.control.turns.push({ text: 'first half, second half', half });
    const tab = await firefox.openTab('https://chatgpt.com/');
    await ask(tab, 'hi');
    await shows(tab, 'first');
    await tab.reload();
    half.open();
    await shows(tab, 'second half');
    await tab.close();
  });

  it('answers again and takes an edited question, as other versions', async () => {
    site.control.turns.push({ text: 'one' }, { text: 'two' }, { text: 'three' });
    const tab = await firefox.openTab('https://chatgpt.com/');
    await ask(tab, 'hi');
    await shows(tab, 'one');
    await tab.until(() => document.querySelector('[data-fake=regenerate]') !== null);
    await tab.click('[data-fake=regenerate]');
    await shows(tab, 'two');
    await tab.until(() => document.querySelector('[data-fake=regenerate]') !== null);
    await tab.click('[data-fake=edit]');
    await tab.evaluate(() => {
      const field = document.querySelector<HTMLTextAreaElement>('[data-fake=edited]');
      if (field) field.value = 'changed';
    });
    await tab.click('[data-fake=save]');
    await shows(tab, 'three');
    expect(site.sent.map(({ action, text }) => [action, text])).toEqual([
      ['next', 'hi'],
      ['next', 'changed'],
    ]);
    await tab.close();
  });

  it('refuses a token that was used before', async () => {
    const tab = await firefox.openTab('https://chatgpt.com/');
    const statuses = await tab.evaluate(async (accessToken: string) => {
      const headers = { authorization: `Bearer ${accessToken}` };
      const post = async (path: string, body: object, more = {}) =>
        await fetch(`/backend-api${path}`, {
          method: 'POST',
          headers: { ...headers, ...more },
          body: JSON.stringify(body),
        });
      const { token } = (await (await post('/sentinel/chat-requirements/finalize', {})).json()) as { token: string };
      const conduit = (await (await post('/f/conversation/prepare', {})).json()) as { conduit_token: string };
      const tokens = { 'openai-sentinel-chat-requirements-token': token, 'x-conduit-token': conduit.conduit_token };
      const message = { id: crypto.randomUUID(), author: { role: 'user' }, content: { parts: ['x'] } };
      const body = { action: 'next', messages: [message], parent_message_id: 'client-created-root' };
      const first = await post('/f/conversation', body, tokens);
      await first.text();
      return [first.status, (await post('/f/conversation', body, tokens)).status];
    }, ACCESS_TOKEN);
    expect(statuses).toEqual([200, 403]);
    await tab.close();
  });

  it('draws only the visible part of long code', async () => {
    Object.assign(site.control, { renderer: 'app-shell', hasCodeEditor: true });
    const lines = Array.from({ length: 500 }, (_, at) => `line ${at}`).join('\n');
    site.control.turns.push({ text: `\`\`\`baa\n${lines}\n\`\`\`` });
    const tab = await firefox.openTab('https://chatgpt.com/');
    await ask(tab, 'hi');
    expect(await tab.until(() => document.querySelectorAll('.cm-gap').length)).toBeGreaterThan(0);
    await tab.close();
  });
});
