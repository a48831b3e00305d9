/** The fake Gemini in a real Firefox, and what the extension's site makes of its page. The extension is not installed. */
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import type { waysOf } from '../../extension/content/composing/typing.ts';
import type { GEMINI } from '../../extension/sites/gemini/gemini.ts';
import { pageScript } from '../support/sites/bundle.ts';
import type { FirefoxTab } from '../support/sites/firefox-tab.ts';
import { KEYS } from '../support/sites/firefox-tab.ts';
import { FakeGemini } from '../support/sites/gemini/gemini.ts';
import { describeWithFirefox, Firefox } from '../support/sites/open-firefox.ts';
import { SitesServer } from '../support/sites/server.ts';
import { gate } from '../support/sites/streaming.ts';
import { until } from '../support/until.ts';

declare const site: { GEMINI: typeof GEMINI };
declare const typing: { waysOf: typeof waysOf };
declare const fakeGemini: { regenerate(): void; edit(text: string): void };

const APP = 'https://gemini.google.com/app';
const source = (path: string) => fileURLToPath(new URL(`../../extension/${path}`, import.meta.url));
const BLOCK = '```baa\n@host::exec {"command":"ls"}\n```';
const TEXT = 'Zeile "eins" 🎼\n\n\n\tzwei \\ & drei=%41+4 <b>\n```js\n  let x = 1;\n```\n你好  ';

describeWithFirefox('the fake Gemini', () => {
  let gemini: FakeGemini;
  let server: SitesServer;
  let firefox: Firefox;
  let tab: FirefoxTab;
  beforeAll(async () => {
    gemini = new FakeGemini();
    server = await SitesServer.start([gemini]);
    firefox = await Firefox.start({ port: server.port });
    tab = await firefox.openTab('about:blank');
  });
  beforeEach(() => {
    gemini.reset();
  });
  afterAll(async () => {
    await firefox.close();
    await server.stop();
    expect(server.errors).toEqual([]);
  });

  /** Opens a page of Gemini, with the extension's site in it as `site`. */
  async function open(path = ''): Promise<void> {
    await tab.open(APP.replace('/app', path === '' ? '/app' : path));
    for (const [file, name] of [
      ['sites/gemini/gemini.ts', 'site'],
      ['content/composing/typing.ts', 'typing'],
    ] as const) {
      await tab.evaluate(
        (code) => {
          document.head.append(Object.assign(document.createElement('script'), { textContent: code }));
          return true;
        },
        await pageScript(source(file), name),
      );
    }
  }

  /** Types as the extension does, and presses the button that the site finds. */
  async function compose(text: string): Promise<void> {
    const shown = await tab.evaluate(async (whole) => {
      const { page } = site.GEMINI;
      const composer = page.composer(document);
      if (!composer) throw new Error('there is no composer');
      const [way] = typing.waysOf(composer.methods);
      composer.element.focus();
      const { element, chunkChars } = composer;
      await way?.type({ element, text: whole, chunkChars, pause: () => new Promise(requestAnimationFrame as never) });
      return page.composedText(composer);
    }, text);
    expect(shown).toBe(text);
    await tab.evaluate(() => site.GEMINI.page.sendButton(document)?.element.click());
  }

  const turns = () =>
    tab.evaluate(() =>
      site.GEMINI.page
        .turns(document)
        .map(({ role, text, isFinished, blocks }) => [role, text, isFinished, blocks.map((one) => one.text)]),
    );
  const finished = (count = 1) =>
    tab.until((wanted) => document.querySelectorAll('.response-footer.complete').length >= wanted, count);
  const answering = () => tab.evaluate(() => site.GEMINI.page.isAnswering(document));

  it('sends what a person types with Enter, and shows the answer', async () => {
    await open();
    await tab.click('rich-textarea .ql-editor');
    await tab.type(`hello 🎼${KEYS.enter}`);
    await finished();
    expect(gemini.sends).toMatchObject([{ text: 'hello 🎼', account: '', isTemporary: false, status: 200 }]);
    expect(await turns()).toEqual([
      ['user', 'hello 🎼', true, []],
      ['assistant', 'You said: hello 🎼', true, []],
    ]);
  });

  it('gets the address of the conversation, which the page shows in its list', async () => {
    await open();
    await compose('hello');
    await finished();
    const [shown, url] = await tab.evaluate(() => [site.GEMINI.page.shownConversation(document), location.href]);
    expect(url).toBe(`${APP}/${shown}`);
    await expect.poll(() => server.received(/StreamGenerate/).at(-1)?.end).toBe('complete');
  });

  it('receives a text with line ends, tabs, backslashes and fences as it was typed by the extension', async () => {
    await open();
    await compose(TEXT);
    await finished();
    expect(gemini.sends.at(-1)?.text).toBe(TEXT);
  });

  it('receives 100 KB as they were typed by the extension', async () => {
    await open();
    const long = Array.from({ length: 1_600 }, (_, line) => `${line} ${'lorem ipsum \\ 🎼 '.repeat(3)}`).join('\n');
    expect(new TextEncoder().encode(long).length).toBeGreaterThan(90_000);
    await compose(long);
    await finished();
    expect(gemini.sends.at(-1)?.text).toBe(long);
  });

  it('uses one button to send and to stop, with the label of its language', async () => {
    gemini.config.language = 'de';
    const end = gate();
    gemini.plans.push({ text: 'Fertig.', until: end });
    await open();
    await compose('hallo');
    await tab.until(() => document.querySelector('button.send-button.stop') !== null);
    const label = await tab.evaluate(() => document.querySelector('.send-button')?.getAttribute('aria-label') ?? null);
    expect([label, await answering()]).toEqual(['Antwort anhalten', true]);
    await tab.click('button.send-button.stop');
    await until(() => server.received(/rpcids=NkpXw/).length > 0);
    end.open();
    await finished();
    expect(await answering()).toBe(false);
    expect(server.received(/rpcids=NkpXw/)).toHaveLength(1);
  });

  it('shows the text of a block once the answer is finished, and never its thoughts', async () => {
    const end = gate();
    gemini.plans.push({ text: `Sure:\n${BLOCK}\nDone.`, thoughts: `I may write\n${BLOCK}`, until: end });
    await open();
    await compose('go');
    await tab.until(() => document.querySelector('model-response code-block') !== null);
    expect((await turns())[1]?.slice(2)).toEqual([false, [null]]);
    end.open();
    await finished();
    expect((await turns())[1]?.[3]).toEqual(['@host::exec {"command":"ls"}']);
  });

  it('follows the newest turn, asks again and edits, and keeps the branch that is shown', async () => {
    await open();
    await compose('one');
    await finished();
    await compose('two');
    await finished(2);
    await tab.evaluate(() => fakeGemini.regenerate());
    await tab.until(() => document.querySelectorAll('.response-footer.complete').length === 2);
    await tab.evaluate(() => fakeGemini.edit('three'));
    await tab.until(() => document.body.textContent?.includes('You said: three') === true);
    const [first, second, again, edited] = gemini.sends.map(({ follows }) => follows);
    expect(first?.conversation).toBe('');
    expect([again, edited]).toEqual([second, second]);
    const stored = gemini.conversations.of(second?.conversation ?? '').map(({ question }) => question);
    expect(stored).toEqual(['one', 'three']);
  });

  it('reads a stored conversation when its page is opened, and keeps only some turns in the document', async () => {
    gemini.config.keepsTurns = 1;
    const id = gemini.conversations.add([
      { question: 'old', answer: 'older' },
      { question: 'new', answer: BLOCK },
    ]);
    await open(`/u/1/app/${id}`);
    await finished();
    expect(await turns()).toEqual([
      ['user', 'new', true, []],
      ['assistant', '@host::exec {"command":"ls"}', true, ['@host::exec {"command":"ls"}']],
    ]);
    expect(gemini.readings).toEqual([`c_${id}`]);
  });

  it('takes the request that the extension makes to read a conversation', async () => {
    const id = gemini.conversations.add([{ question: 'hi', answer: BLOCK }]);
    await open(`/u/1/app/${id}`);
    await finished();
    const body = await tab.evaluate(async () => {
      const address = site.GEMINI.wire.addressOf(new URL(location.href));
      const request = site.GEMINI.page.readingRequest(document, address, '');
      if (!request) throw new Error('the document lacks what a reading needs');
      const { url, method, headers, body } = request;
      const reading = site.GEMINI.wire.readReading(await (await fetch(url, { method, headers, body })).text());
      return reading?.messages.map(({ role, text, state }) => [role, text, state]) ?? null;
    });
    expect(body).toEqual([
      ['user', 'hi', 'final'],
      ['assistant', BLOCK, 'final'],
    ]);
  });

  it('keeps a temporary conversation without an address', async () => {
    gemini.config.isTemporary = true;
    await open();
    await compose('secret');
    await finished();
    expect(gemini.sends.at(-1)?.isTemporary).toBe(true);
    const seen = await tab.evaluate(() => [location.pathname, site.GEMINI.page.shownConversation(document)]);
    expect(seen).toEqual(['/app', null]);
  });

  it('says who is signed in, and asks to sign in without a session', async () => {
    await open('/u/1/app');
    expect(await tab.evaluate(() => site.GEMINI.page.login(document))).toMatchObject({ login: 'fresh' });
    gemini.config.isSignedIn = false;
    await open();
    const seen = await tab.evaluate(() => [
      site.GEMINI.page.login(document)?.login,
      site.GEMINI.page.obstacle(document)?.kind,
    ]);
    expect(seen).toEqual(['lost', 'signed_out']);
  });

  it('can be a security check, and ask the person to choose between two drafts', async () => {
    gemini.plans.push({ text: 'one', drafts: ['two'], asksChoice: true });
    await open();
    await compose('which?');
    await finished();
    expect(await tab.evaluate(() => site.GEMINI.page.obstacle(document)?.kind ?? null)).toBe('choice');
    gemini.isChallenged = true;
    await open();
    expect(await tab.evaluate(() => site.GEMINI.page.obstacle(document)?.kind ?? null)).toBe('challenge');
  });

  it.each([
    ['while it thinks', { text: BLOCK, thoughts: 'hm', cut: 'thinking' }],
    ['in the text', { text: BLOCK, cut: 'text' }],
    ['before the end', { text: BLOCK, cut: 'mark' }],
    ['by a refusal', { text: BLOCK, refusal: { status: 429, isHtml: true } }],
    ['by a limit', { text: BLOCK, error: { code: 1037, after: false } }],
  ] as const)('can break an answer off %s, and the page takes the next message', async (_where, plan) => {
    gemini.plans.push(plan);
    await open();
    await compose('one');
    await tab.until(() => document.querySelector('pending-response, button.stop') === null);
    await compose('two');
    await finished();
    expect(gemini.sends.map(({ text }) => text)).toEqual(['one', 'two']);
  });
});
