/** The whole path on Gemini: a person writes in the page, the host acts, the reply and renewals arrive in the page. */
import { existsSync, readFileSync } from 'node:fs';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import type { FirefoxTab } from '../support/sites/firefox-tab.ts';
import { KEYS } from '../support/sites/firefox-tab.ts';
import { FakeGemini } from '../support/sites/gemini/gemini.ts';
import { describeWithFirefox } from '../support/sites/open-firefox.ts';
import { WholeSystem } from '../support/sites/whole-system.ts';

const APP = 'https://gemini.google.com/app';

function writes(path: string, content: string): string {
  return `\`\`\`baa\n@conductor::files/write::${JSON.stringify({ path, content })}\n\`\`\``;
}

describeWithFirefox('on Gemini', () => {
  const gemini = new FakeGemini();
  let system: WholeSystem;
  let tab: FirefoxTab;
  beforeAll(async () => {
    system = await WholeSystem.start({ sites: [gemini] });
    tab = await system.firefox.openTab('about:blank');
  });
  beforeEach(() => gemini.reset());
  afterAll(() => system?.stop());

  async function say(text: string): Promise<void> {
    await tab.until(() => document.querySelector('rich-textarea .ql-editor') !== null);
    await tab.click('rich-textarea .ql-editor');
    await tab.type(text + KEYS.enter);
  }

  const sent = (nth: number) => system.eventually(`send ${nth}`, () => gemini.sends[nth - 1] ?? null);

  it('an instruction in an answer acts on the host, and its reply arrives in the page', async () => {
    gemini.plans.push({ text: `I write.\n\n${writes('one.txt', 'eins 🎼\n')}\n` });
    await tab.open(APP);
    await say('please');
    const reply = await sent(2);
    expect(readFileSync(system.workspace('one.txt'), 'utf8')).toBe('eins 🎼\n');
    expect(reply.text).toContain('one.txt');
    const message = await system.message(1);
    expect(await system.instructions(message.message_id)).toMatchObject([{ tool: 'files/write', status: 'succeeded' }]);
    expect(existsSync(system.workspace('two.txt'))).toBe(false);
  });
});
