/** The page side of ChatGPT on the pages of the fake ChatGPT, in a real Firefox. */
import { writeFile } from 'node:fs/promises';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import type { SitePage } from '../../extension/sites/page.ts';
import { ChatgptSite } from '../support/sites/chatgpt/chatgpt-site.ts';
import { defaultControl } from '../support/sites/chatgpt/turn.ts';
import type { FirefoxTab } from '../support/sites/firefox-tab.ts';
import { describeWithFirefox, Firefox } from '../support/sites/open-firefox.ts';
import { pageSideScript } from '../support/sites/page-side.ts';
import { SitesServer } from '../support/sites/server.ts';
import { gate } from '../support/sites/streaming.ts';

declare const sitePage: SitePage;

const CODE = '@node::files.read {"path": "a"}\n\n\tindented 你好 🎼';
const ANSWER = `Reading it.\n\n\`\`\`baa\n${CODE}\n\`\`\`\n\n\`\`\`js\nno()\n\`\`\`\n`;
const RENDERERS = ['legacy', 'app-shell'] as const;
const SCREENSHOTS = process.env.CHATGPT_SCREENSHOTS;

describeWithFirefox("ChatGPT's page side", () => {
  const site = new ChatgptSite();
  let server: SitesServer;
  let firefox: Firefox;
  let script: string;
  beforeAll(async () => {
    script = await pageSideScript('extension/sites/chatgpt/page/page.ts');
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

  async function open(path: string, name?: string): Promise<FirefoxTab> {
    const tab = await firefox.openTab(`https://chatgpt.com${path}`);
    await tab.evaluate((code) => {
      const element = document.createElement('script');
      element.textContent = code;
      document.documentElement.append(element);
    }, script);
    if (!site.control.isChallenged) await tab.until(() => sitePage.composer(document) !== null);
    if (SCREENSHOTS && name) await writeFile(`${SCREENSHOTS}/${name}.png`, await tab.screenshot());
    return tab;
  }

  /** What the page says about itself. */
  const look = (tab: FirefoxTab) =>
    tab.evaluate(() => {
      const composer = sitePage.composer(document);
      return {
        shown: sitePage.shownConversation(document),
        composer: composer?.selector ?? null,
        text: composer && sitePage.composedText(composer),
        send: sitePage.sendButton(document)?.selector ?? null,
        isAnswering: sitePage.isAnswering(document),
        obstacle: sitePage.obstacle(document),
        login: sitePage.login(document),
        turns: sitePage.turns(document).map(({ role, id, isFinished, blocks }) => ({
          role,
          id,
          isFinished,
          blocks: blocks.map(({ text }) => text),
        })),
      };
    });

  async function paste(tab: FirefoxTab, text: string): Promise<void> {
    await tab.evaluate((plain) => {
      const { element } = sitePage.composer(document) ?? {};
      element?.focus();
      const init = { dataType: 'text/plain', data: plain, bubbles: true, cancelable: true };
      element?.dispatchEvent(new ClipboardEvent('paste', init));
    }, text);
  }

  it.each(RENDERERS)('reads a conversation in %s: ids, states, blocks, login, no decoy', async (renderer) => {
    Object.assign(site.control, { renderer });
    const { id, messages } = site.addConversation('hi', { text: ANSWER });
    const [question, answer] = messages.keys();
    const tab = await open(`/c/${id}`, `chatgpt-${renderer}`);
    await tab.until(() => sitePage.turns(document).length === 2);
    expect(await look(tab)).toEqual({
      shown: id,
      composer: expect.any(String),
      text: '',
      send: null,
      isAnswering: false,
      obstacle: null,
      login: { login: 'fresh', account: 'user-fake0001' },
      turns: [
        { role: 'user', id: question, isFinished: true, blocks: [] },
        { role: 'assistant', id: answer, isFinished: true, blocks: [CODE] },
      ],
    });
    await tab.close();
  });

  it.each(
    RENDERERS.flatMap((renderer) => (['en', 'zh', 'eo'] as const).map((language) => [renderer, language] as const)),
  )(
    'finds the button that sends, and none while an answer is written, in %s with labels in %s',
    async (renderer, language) => {
      Object.assign(site.control, { renderer, language });
      const half = gate();
      site.control.turns.push({ text: ANSWER, half });
      const tab = await open('/');
      expect(await look(tab)).toMatchObject({ send: null, isAnswering: false });
      await paste(tab, 'line one\n\n\tline \\ three 🎼');
      const typed = await look(tab);
      expect(typed).toMatchObject({ text: 'line one\n\n\tline \\ three 🎼', isAnswering: false });
      expect(typed.send).not.toBeNull();
      await tab.evaluate(() => sitePage.sendButton(document)?.element.click());
      await tab.until(() => sitePage.turns(document).at(-1)?.role === 'assistant');
      expect(await look(tab)).toMatchObject({ send: null, isAnswering: true });
      await paste(tab, 'too early');
      expect(await look(tab)).toMatchObject({ send: null, text: 'too early' });
      half.open();
      await tab.until(() => !sitePage.isAnswering(document));
      expect((await look(tab)).send).not.toBeNull();
      expect((await look(tab)).turns.at(-1)).toMatchObject({ isFinished: true, blocks: [CODE] });
      expect(site.sent.map(({ text }) => text)).toEqual(['line one\n\n\tline \\ three 🎼']);
      await tab.close();
    },
  );

  it('gives no text for code that the page has drawn in part only', async () => {
    Object.assign(site.control, { renderer: 'app-shell', hasCodeEditor: true });
    const lines = Array.from({ length: 500 }, (_, at) => `line ${at}`).join('\n');
    const long = site.addConversation('hi', { text: `\`\`\`baa\n${lines}\n\`\`\`` });
    const tab = await open(`/c/${long.id}`);
    await tab.until(() => document.querySelector('.cm-gap') !== null);
    expect((await look(tab)).turns.at(-1)?.blocks).toEqual([null]);
    const short = site.addConversation('hi', { text: ANSWER });
    await tab.close();
    const other = await open(`/c/${short.id}`, 'chatgpt-codemirror');
    await other.until(() => sitePage.turns(document).length === 2);
    expect((await look(other)).turns.at(-1)?.blocks).toEqual([CODE]);
    await other.close();
  });

  it('counts a long paste that became an attachment, and none for one of 4000 characters', async () => {
    const tab = await open('/');
    const attachments = () => tab.evaluate(() => sitePage.attachments?.(document));
    await paste(tab, 'x'.repeat(4000));
    expect(await attachments()).toBe(0);
    await paste(tab, 'x'.repeat(10_001));
    expect(await attachments()).toBe(1);
    await tab.close();
  });

  it.each([
    ['limit', 'limit'],
    ['tool_question', 'permission'],
    ['dialog', 'permission'],
    ['error', 'error'],
  ] as const)('sees the notice %s as an obstacle of the kind %s', async (notice, kind) => {
    Object.assign(site.control, { notice });
    const tab = await open('/', `chatgpt-${notice}`);
    const { obstacle } = await look(tab);
    expect(obstacle?.kind).toBe(kind);
    if (kind === 'limit') expect(obstacle?.resetsAt).toBeGreaterThan(Date.now());
    await tab.close();
  });

  it('sees that the person chooses between two answers', async () => {
    site.control.turns.push({ text: 'one', isChoice: true });
    const tab = await open('/');
    await paste(tab, 'hi');
    await tab.evaluate(() => sitePage.sendButton(document)?.element.click());
    await tab.until(() => sitePage.obstacle(document)?.kind === 'choice');
    await tab.close();
  });

  it('sees a person who is not signed in, though the page has a composer', async () => {
    Object.assign(site.control, { isSignedIn: false });
    const tab = await open('/', 'chatgpt-signed-out');
    expect(await look(tab)).toMatchObject({ login: { login: 'lost' }, obstacle: { kind: 'signed_out' } });
    await tab.close();
  });

  it('sees a security check in place of the page', async () => {
    Object.assign(site.control, { isChallenged: true });
    const tab = await open('/', 'chatgpt-challenge');
    expect(await look(tab)).toMatchObject({
      composer: null,
      login: { login: 'stale' },
      obstacle: { kind: 'challenge' },
    });
    await tab.close();
  });
});
