/** Deliveries into ChatGPT: texts arrive unchanged, and each refusal of the site has its own outcome. */
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { BrowserResponseSchema } from '../../schema/contracts/browser.ts';
import { ChatgptSite } from '../support/sites/chatgpt/chatgpt-site.ts';
import type { ChatgptControl, Refused } from '../support/sites/chatgpt/turn.ts';
import { defaultControl } from '../support/sites/chatgpt/turn.ts';
import type { FirefoxTab } from '../support/sites/firefox-tab.ts';
import { describeWithManifests } from '../support/sites/manifests.ts';
import { WholeSystem } from '../support/sites/whole-system.ts';

const CHALLENGE = { 'cf-mitigated': 'challenge' };
const UNUSUAL_ACTIVITY = { detail: 'Unusual activity has been detected from your device. Try again later.' };
const HARD = 'Zeile 🎼\n\n\n\t\\tab "quotes" 你好\n```js\nconst a = `x`;\n```\n  *two* spaces  \nend\\';

describeWithManifests('a delivery into ChatGPT', (manifest) => {
  const site = new ChatgptSite();
  let system: WholeSystem;
  let tab: FirefoxTab;
  beforeAll(async () => {
    system = await WholeSystem.start({ sites: [site], manifest });
    tab = await system.firefox.openTab('about:blank');
  });
  beforeEach(() => {
    Object.assign(site.control, defaultControl());
    site.sent.length = 0;
  });
  afterAll(() => system?.stop());

  /** An existing conversation, open in the tab, of which the edge knows. */
  async function open(): Promise<string> {
    const { id } = site.addConversation('hi', { text: 'Hello.' });
    await tab.open(`https://chatgpt.com/c/${id}`);
    await tab.until(() => document.querySelector('#thread')?.textContent?.includes('Hello.') ?? false);
    await system.conversation('chatgpt', id);
    return id;
  }

  it.each(['legacy', 'app-shell'] as const)('arrives byte for byte, also 100 KB, in %s', async (renderer) => {
    Object.assign(site.control, { renderer });
    const id = await open();
    const long = `${HARD}\n${'0123456789 äöü 🎼\n'.repeat(6_000)}end`;
    for (const text of [HARD, long]) {
      const outcome = await system.prompt('chatgpt', text, id);
      expect(outcome).toEqual({ status: 'succeeded', error: null });
      expect(site.sent.at(-1)).toMatchObject({ conversationId: id, text });
    }
    expect(site.sent).toHaveLength(2);
  });

  /** What the edge knows of the browser on ChatGPT. */
  async function state(): Promise<{ login: string; stopped: string | null }> {
    const { clients } = await system.api.get('/v1/browser', BrowserResponseSchema);
    const platform = clients[0]?.platforms.find((one) => one.platform === 'chatgpt');
    return { login: platform?.login ?? 'unknown', stopped: platform?.stopped_reason ?? null };
  }

  /** A browser that a refusal has stopped delivers again only when a person says so. */
  async function resume(): Promise<void> {
    const { clients } = await system.api.get('/v1/browser', BrowserResponseSchema);
    await system.post(`/v1/browser/clients/${clients[0]?.client_id}/resume`);
    await system.eventually('the browser to be ready', async () => {
      const { login, stopped } = await state();
      return (login === 'fresh' && stopped === null) || null;
    });
  }

  it.each<[string, Refused, string | null]>([
    ['a limit', { at: 'send', status: 429, body: { detail: { message: 'limit', clears_in: 1 } } }, null],
    ['a limit before the send', { at: 'sentinel', status: 429, body: { detail: { clears_in: 1 } } }, null],
    ['unusual activity', { at: 'send', status: 403, body: UNUSUAL_ACTIVITY }, 'signed_out'],
    [
      'a security check',
      { at: 'send', status: 403, body: '<p>Just a moment', headers: CHALLENGE },
      'security_challenge',
    ],
    ['an expired session', { at: 'send', status: 401, body: { detail: 'Unauthorized' } }, 'signed_out'],
  ])(
    'that meets %s is not sent, not repeated, and stops the browser where it must',
    async (_name, refusal, stopped) => {
      const id = await open();
      await resume();
      site.control.refusals.push(refusal);
      const outcome = await system.prompt('chatgpt', 'once', id);
      expect(outcome).toEqual({ status: 'failed', error: 'not_sent' });
      expect(site.sent).toEqual([]);
      expect(site.control.refusals).toEqual([]);
      await system.eventually('the stop', async () => ((await state()).stopped === stopped ? true : null));
    },
  );

  it('into a page of a visitor is refused before anything is typed', async () => {
    const id = await open();
    await resume();
    Object.assign(site.control, { isSignedIn: false });
    await tab.reload();
    await system.eventually('the login to be known', async () => ((await state()).login === 'lost' ? true : null));
    await expect(system.prompt('chatgpt', 'once', id)).rejects.toThrow('no_credentials');
    expect(site.sent).toEqual([]);
  });

  it.each<[string, Partial<ChatgptControl>]>([
    ['that is a security check', { isChallenged: true }],
    ['that asks the person something', { notice: 'dialog' }],
  ])('into a page %s sends nothing', async (_name, control) => {
    const id = await open();
    await resume();
    Object.assign(site.control, control);
    await tab.reload();
    expect(await system.prompt('chatgpt', 'once', id)).toEqual({ status: 'failed', error: 'not_sent' });
    expect(site.sent).toEqual([]);
  });
});
