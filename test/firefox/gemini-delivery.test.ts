/** Deliveries to Gemini over the whole path: a prompt of the API is typed into the page, and what the site says of it. */
import { existsSync } from 'node:fs';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import type { FirefoxTab } from '../support/sites/firefox-tab.ts';
import { FakeGemini } from '../support/sites/gemini/gemini.ts';
import { describeWithManifests } from '../support/sites/manifests.ts';
import { WholeSystem } from '../support/sites/whole-system.ts';

const ORIGIN = 'https://gemini.google.com';
const TEXT = 'Zeile "eins" 🎼\n\n\n\tzwei \\ & drei=%41+4 <b>\n```js\n  let x = 1;\n```\n你好';

describeWithManifests('a prompt for Gemini', (manifest) => {
  const gemini = new FakeGemini();
  let system: WholeSystem;
  let tab: FirefoxTab;
  beforeAll(async () => {
    system = await WholeSystem.start({ sites: [gemini], manifest });
    tab = await system.firefox.openTab('about:blank');
  });
  beforeEach(() => gemini.reset());
  afterAll(() => system?.stop());

  /** Opens a stored conversation, and waits until the edge knows of its page. */
  async function open(account = '/u/1', inTab = tab): Promise<string> {
    const id = gemini.conversations.add([{ question: 'hi', answer: 'hello' }]);
    await inTab.open(`${ORIGIN}${account}/app/${id}`);
    await system.conversation('gemini', id);
    return id;
  }

  it('arrives in the pages of a further account with every character', async () => {
    const id = await open();
    expect(await system.prompt('gemini', TEXT, id)).toEqual({ status: 'succeeded', error: null });
    expect(gemini.sends).toMatchObject([
      { text: TEXT, account: '/u/1', follows: { conversation: `c_${id}` }, status: 200 },
    ]);
  });

  it('of 100 KB arrives unchanged', async () => {
    const id = await open();
    const long = Array.from({ length: 1_600 }, (_, line) => `${line} ${'lorem ipsum \\ 🎼 '.repeat(3)}.`).join('\n');
    expect(await system.prompt('gemini', long, id)).toEqual({ status: 'succeeded', error: null });
    expect(gemini.sends.map(({ text }) => text === long)).toEqual([true]);
  });

  it('is answered, and the answer acts on the host', async () => {
    const id = await open();
    const block = '```baa\n@conductor::files/write::{"path":"asked.txt","content":"x"}\n```';
    gemini.plans.push({ text: block });
    await system.prompt('gemini', 'write', id);
    await system.eventually('the file', () => existsSync(system.workspace('asked.txt')) || null);
    expect((await system.message(id)).capture).toEqual({ source: 'network', other: 'agrees' });
    // The reply, so that it does not take the plan of the next test.
    await system.eventually('the reply', () => gemini.sends[1] ?? null);
  });

  it.each([
    ['a limit of the stream', { text: 'x', error: { code: 1037, after: false } }],
    ['a security check in place of the response', { text: 'x', refusal: { status: 429, isHtml: true } }],
    ['the status 429 with a time', { text: 'x', refusal: { status: 429, retryAfter: '2' } }],
  ] as const)('fails by %s, and is not sent again', async (_what, plan) => {
    const id = await open();
    gemini.plans.push(plan);
    expect(await system.prompt('gemini', 'one', id)).toEqual({ status: 'failed', error: 'not_sent' });
    expect(gemini.sends.map(({ text }) => text)).toEqual(['one']);
    await system.resume();
  });

  it('arrives in the pages of each of two accounts side by side, which stop nothing of each other', async () => {
    const other = await system.firefox.openTab('about:blank');
    const ids = { second: await open('/u/1'), first: await open('/u/0', other) };
    for (const account of ['first', 'second', 'first'] as const) {
      // Each page says once more who is signed in there.
      await Promise.all([tab.reload(), other.reload()]);
      expect(await system.prompt('gemini', account, ids[account])).toEqual({ status: 'succeeded', error: null });
    }
    expect(gemini.sends.map(({ text, account }) => `${text} ${account}`)).toEqual([
      'first /u/0',
      'second /u/1',
      'first /u/0',
    ]);
    await other.close();
  });

  it('is not typed into a page in which another account is signed in than before', async () => {
    const id = await open('/u/3');
    await system.prompt('gemini', 'one', id);
    gemini.people.set('/u/3', '9');
    await tab.reload();
    await tab.until(() => document.querySelector('rich-textarea') !== null);
    // The edge may know of the other account already, or learn it from the page when it is about to type.
    const outcome = await system.prompt('gemini', 'two', id).catch((error: Error) => error.message);
    expect(JSON.stringify(outcome)).toMatch(/not_sent|no_credentials/);
    expect(gemini.sends.map(({ text }) => text)).toEqual(['one']);
    await system.resume();
  });

  it('is not typed into a page that is signed out', async () => {
    const id = await open();
    gemini.config.isSignedIn = false;
    await tab.reload();
    await tab.until(() => document.querySelector('a[href*="ServiceLogin"]') !== null);
    await system.eventually('the report that nothing is signed in', async () => {
      const refused = await system.prompt('gemini', 'one', id).catch((error: Error) => error.message);
      return typeof refused === 'string' && refused.includes('no_credentials') ? refused : null;
    });
    expect(gemini.sends).toEqual([]);
  });
});
