/** The whole path on Gemini: a person writes in the page, the host acts, the reply and renewals arrive in the page. */
import { existsSync, readFileSync } from 'node:fs';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import type { FirefoxTab } from '../support/sites/firefox-tab.ts';
import { FakeGemini } from '../support/sites/gemini/gemini.ts';
import type { AnswerPlan } from '../support/sites/gemini/plan.ts';
import { describeWithManifests } from '../support/sites/manifests.ts';
import { gate } from '../support/sites/streaming.ts';
import { WholeSystem } from '../support/sites/whole-system.ts';

declare const fakeGemini: { regenerate(): void; edit(text: string): void };

const APP = 'https://gemini.google.com/app';

/** A block that writes a file on the host. */
function writes(path: string, content = 'x'): string {
  return `\`\`\`baa\n@conductor::files/write::${JSON.stringify({ path, content })}\n\`\`\``;
}

describeWithManifests('on Gemini', (manifest) => {
  const gemini = new FakeGemini();
  let system: WholeSystem;
  let tab: FirefoxTab;
  beforeAll(async () => {
    system = await WholeSystem.start({ sites: [gemini], manifest });
    tab = await system.firefox.openTab('about:blank');
  });
  beforeEach(() => gemini.reset());
  afterAll(() => system?.stop());

  /** Writes without keys, which would make the reply wait until the person has surely stopped typing, and sends. */
  async function say(text: string): Promise<void> {
    await tab.until(() => document.querySelector('rich-textarea .ql-editor') !== null);
    await tab.click('rich-textarea .ql-editor');
    await tab.evaluate((written) => void document.execCommand('insertText', false, written), text);
    await tab.until(() => document.querySelector('button.send-button') !== null);
    await tab.click('button.send-button');
  }

  /** The id in the address, once the page has it. */
  async function addressed(): Promise<string> {
    return await tab.until(() => /\/app\/([0-9a-f]{16})$/.exec(location.pathname)?.[1] ?? '');
  }

  /** A new conversation whose first answer is this one. */
  async function begin(plan: AnswerPlan, path = '/app'): Promise<string> {
    gemini.plans.push(plan);
    await tab.open(APP.replace('/app', path));
    await say('please');
    return await addressed();
  }

  const sent = (nth: number) => system.eventually(`send ${nth}`, () => gemini.sends[nth - 1] ?? null);
  const written = (path: string) => existsSync(system.workspace(path));

  /** The second message of the conversation is the site's answer to the reply, and there is no third. */
  async function expectOneBeforeReply(id: string): Promise<void> {
    expect((await system.message(id, 2)).raw_text).toContain('You said');
    expect(await system.messagesOf(id)).toHaveLength(2);
  }

  it('an instruction in an answer acts on the host, and its reply arrives in the page', async () => {
    const id = await begin({ text: `I write.\n\n${writes('one.txt', 'eins 🎼\n')}\n` });
    const reply = await sent(2);
    expect(readFileSync(system.workspace('one.txt'), 'utf8')).toBe('eins 🎼\n');
    expect(reply).toMatchObject({ text: expect.stringContaining('one.txt'), follows: { conversation: `c_${id}` } });
    const { message_id, capture, reply_outcome } = await system.eventually('the outcome of the reply', async () => {
      const message = await system.message(id);
      return message.reply_outcome === null ? null : message;
    });
    expect([capture, reply_outcome]).toEqual([{ source: 'network', other: 'agrees' }, 'delivered']);
    expect(await system.instructions(message_id)).toMatchObject([{ tool: 'files/write', status: 'succeeded' }]);
  });

  it('an answer arrives with every character when the stream cuts each of them', async () => {
    const text = 'Grüße 🎼🎼 你好 \\ "x"\n\n```js\n\tlet a = `b`;\n```\n\nEnde 👩‍👩‍👧';
    const id = await begin({ text, pieceBytes: 3, everyMs: 0 });
    expect((await system.message(id)).raw_text).toBe(text);
  });

  it('neither thoughts nor what the person writes is an instruction', async () => {
    const id = await begin({ text: 'No.', thoughts: `Maybe\n${writes('thought.txt')}` });
    await say(`Then I:${writes('person.txt').replaceAll('\n', ' ')}`);
    expect((await system.message(id, 2)).raw_text).toContain('You said');
    expect([written('thought.txt'), written('person.txt')]).toEqual([false, false]);
  });

  it('an error of the session after a complete answer takes nothing from it', async () => {
    await begin({ text: writes('late-error.txt'), error: { code: 1096, after: true } });
    await sent(2);
    expect(written('late-error.txt')).toBe(true);
  });

  it.each(['thinking', 'text', 'mark'] as const)(
    'an answer that breaks off at its %s is read from the conversation, and acts once',
    async (cut) => {
      const id = await begin({ text: writes(`cut-${cut}.txt`), thoughts: 'hm', cut });
      await sent(2);
      expect(written(`cut-${cut}.txt`)).toBe(true);
      await expectOneBeforeReply(id);
    },
  );

  it('of two drafts the first one acts', async () => {
    await begin({ text: writes('draft-1.txt'), drafts: [writes('draft-2.txt')] });
    await expect.poll(() => written('draft-1.txt')).toBe(true);
    expect(written('draft-2.txt')).toBe(false);
    // The page asks which draft is better, and the reply waits for that. It must not take the plan of the next test.
    await tab.reload();
    await sent(2);
  });

  it('an answer that is asked for again, and an edited question, give new messages', async () => {
    const id = await begin({ text: 'first' });
    await system.message(id, 1);
    gemini.plans.push({ text: 'second' }, { text: 'third' });
    await tab.evaluate(() => fakeGemini.regenerate());
    expect((await system.message(id, 2)).raw_text).toBe('second');
    await tab.evaluate(() => fakeGemini.edit('another question'));
    expect((await system.message(id, 3)).raw_text).toBe('third');
  });

  it('an answer is captured once when the page is reloaded in the middle of it', async () => {
    const end = gate();
    const id = await begin({ text: writes('reloaded.txt'), until: end });
    await tab.reload();
    end.open();
    await sent(2);
    expect(written('reloaded.txt')).toBe(true);
    await expectOneBeforeReply(id);
  });

  it('an answer that two tabs show is captured once, and replied to once', async () => {
    const end = gate();
    const id = await begin({ text: writes('two-tabs.txt'), until: end });
    const other = await system.firefox.openTab(`${APP}/${id}`);
    end.open();
    await sent(2);
    await system.message(id, 2);
    await other.close();
    expect(gemini.sends).toHaveLength(2);
    const { length } = await system.messagesOf(id);
    expect(length).toBe(2);
  });

  it('a page in another language that keeps few turns takes replies as any other', async () => {
    Object.assign(gemini.config, { language: 'zh', keepsTurns: 1 });
    await begin({ text: writes('chinese.txt') });
    expect((await sent(2)).text).toContain('chinese.txt');
  });

  it('a temporary conversation is not ingested', async () => {
    gemini.config.isTemporary = true;
    gemini.plans.push({ text: writes('temporary.txt') });
    await tab.open(APP);
    await say('please');
    await tab.until(() => document.querySelector('.response-footer.complete') !== null);
    gemini.config.isTemporary = false;
    // A later conversation has been through the same path, so the temporary one would have been as well.
    await begin({ text: writes('lasting.txt') });
    // The reply, so that it does not take the plan of the next test.
    await sent(3);
    expect([written('lasting.txt'), written('temporary.txt')]).toEqual([true, false]);
  });

  it('a renewal is sent into the page after a settled answer', async () => {
    const id = await begin({ text: 'Ready.' });
    const { message_id } = await system.message(id, 1);
    const { local_conversation_id } = await system.conversation('gemini', id);
    // Nothing else is written meanwhile: a newer message would take the place of this one.
    await system.post(`/v1/renewal/conversations/${local_conversation_id}/auto`);
    const job = await system.renewal(message_id, ({ status }) => status === 'done');
    expect(gemini.sends.map(({ text }) => text)).toContain(job.payload_text);
    await system.post(`/v1/renewal/conversations/${local_conversation_id}/manual`);
  });
});
