/** Messages of the agent into the fake sites by the extension, in a real Firefox: each outcome, and never twice. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { DeliveryRig } from '../support/extension/delivery-rig.ts';
import type { Refused } from '../support/sites/chatgpt/turn.ts';
import { dropFile } from '../support/sites/drop-file.ts';
import type { FirefoxTab } from '../support/sites/firefox-tab.ts';
import { KEYS } from '../support/sites/firefox-tab.ts';
import { describeWithManifests } from '../support/sites/manifests.ts';
import { gate } from '../support/sites/streaming.ts';
import { until } from '../support/until.ts';

const FENCE = '`'.repeat(3);
const ODD = `Grüße 🎼 👩‍👩‍👧‍👦 漢字\n\n${FENCE}baa\n@host::exec {"command":"echo '<b>'"}\n${FENCE}\n\n\tC:\\new\\table  two  spaces\na\tb\n\n\nend`;
const LONG = Array.from({ length: 1_400 }, (_, n) => `${n}\t"ключ\\${n}" — 漢字 🎼  ${'x'.repeat(50)}`)
  .join('\n')
  .slice(0, 100_000);
const CHALLENGE_HEADERS = { 'cf-mitigated': 'challenge' };

describeWithManifests('a delivery', (manifest) => {
  let rig: DeliveryRig;
  beforeAll(async () => {
    rig = await DeliveryRig.start(manifest);
  });
  beforeEach(() => rig.reset());
  afterAll(async () => {
    expect(await rig.stop()).toEqual([]);
  });

  /** Presses the key until the delivery has ended, so that the last key is never long ago. */
  async function deliverWhileTyping(id: string, tab: FirefoxTab, key: string): ReturnType<DeliveryRig['deliver']> {
    let isOver = false;
    const end = rig.deliver(id).finally(() => {
      isOver = true;
    });
    while (!isOver) await tab.type(key);
    return await end;
  }

  describe('of any text arrives unchanged', () => {
    it.each([
      ['odd', ODD],
      ['100 KB of', LONG],
    ])('in a conversation of ChatGPT: %s text', async (_what, text) => {
      const { id, tab } = await rig.openConversation();
      const end = await rig.deliver(id, { message_text: text });
      expect(end?.result).toMatchObject({ outcome: 'delivered', method: 'dom', http_status: 200 });
      expect(rig.received).toEqual([text]);
      await tab.close();
    });

    it.each([
      ['merged', 'odd', ODD],
      ['merged', '100 KB of', LONG],
      ['legacy', 'odd', ODD],
      ['legacy', '100 KB of', LONG],
    ] as const)('in a new conversation of a %s account of Claude: %s text', async (accounts, _what, text) => {
      rig.claude.options.accounts = accounts;
      const page_url = 'https://claude.ai/new';
      const order = { platform: 'claude', page_url, message_text: text } as const;
      const end = await rig.deliver(null, order);
      expect(end?.result).toMatchObject({ outcome: 'delivered', http_status: 200 });
      expect(rig.claude.sends.at(-1)?.text).toBe(text);
    });

    it.each([
      ['odd', ODD],
      ['100 KB of', LONG],
    ])('in a new conversation of Gemini: %s text', async (_what, text) => {
      const page_url = 'https://gemini.google.com/app';
      const order = { platform: 'gemini', page_url, message_text: text } as const;
      const end = await rig.deliver(null, order);
      expect(end?.result).toMatchObject({ outcome: 'delivered', http_status: 200 });
      expect(rig.gemini.sends.at(-1)?.text).toBe(text);
    });
  });

  describe('that the site refuses', () => {
    const json = { detail: 'refused' };
    it.each<[string, Refused, object, string | null]>([
      ['401', { at: 'send', status: 401, body: json }, { reason: 'signed_out', http_status: 401 }, 'signed_out'],
      ['403', { at: 'send', status: 403, body: json }, { reason: 'signed_out', http_status: 403 }, 'signed_out'],
      [
        'a security check',
        { at: 'send', status: 403, body: '<title>Just a moment…</title>', headers: CHALLENGE_HEADERS },
        { reason: 'security_challenge', http_status: 403 },
        'security_challenge',
      ],
      [
        '429 with the end of the limit',
        { at: 'send', status: 429, body: { detail: { message: 'limit', clears_in: 1_234 } } },
        { reason: 'rate_limited', http_status: 429, retry_after_ms: 1_234_000 },
        null,
      ],
      [
        '429 without it',
        { at: 'send', status: 429, body: json },
        { reason: 'rate_limited', http_status: 429, retry_after_ms: null },
        null,
      ],
      [
        '429 before the send',
        { at: 'sentinel', status: 429, body: json },
        { reason: 'rate_limited', http_status: 429 },
        null,
      ],
    ])('with %s has that outcome, once, and leaves no text in the composer', async (_what, refused, result, stops) => {
      const { id, tab } = await rig.openConversation();
      rig.chatgpt.control.refusals.push(refused);
      expect(await rig.deliver(id)).toMatchObject({ result: { outcome: 'failed', ...result }, stops });
      expect(rig.received).toEqual([]);
      expect(await tab.evaluate(() => document.querySelector('#prompt-textarea')?.textContent)).toBe('');
      await tab.close();
    });

    it('on its stream, as the timeline of Claude does, certainly was not taken', async () => {
      rig.claude.options.accounts = 'merged';
      rig.claude.answers.push({ text: '', refusal: 'stale_parent' });
      const order = { platform: 'claude', page_url: 'https://claude.ai/new' } as const;
      const end = await rig.deliver(null, order);
      expect(end?.result).toMatchObject({ outcome: 'failed', reason: expect.stringMatching(/stale_parent/) });
    });
  });

  describe('is not sent', () => {
    it('to a page that is signed out', async () => {
      const { id, tab } = await rig.openConversation();
      rig.chatgpt.control.isSignedIn = false;
      await tab.reload();
      expect(await rig.deliver(id)).toMatchObject({ stops: 'signed_out', refused: true });
      expect(rig.received).toEqual([]);
      await tab.close();
      rig.chatgpt.control.isSignedIn = true;
      const { tab: again } = await rig.openConversation();
      await again.close();
    });

    it('under another account than the one of the links', async () => {
      const { id, tab } = await rig.openConversation();
      const end = await rig.deliver(id, { account_fingerprint: 'another-account' });
      expect(end).toMatchObject({ stops: 'account_changed', refused: true });
      expect(rig.received).toEqual([]);
      await tab.close();
    });

    it('over the draft of a person, which stays', async () => {
      const { id, tab } = await rig.openConversation();
      await tab.evaluate(() => {
        document.querySelector<HTMLElement>('#prompt-textarea')?.focus();
        document.execCommand('insertText', false, 'my own words');
      });
      expect((await rig.deliver(id))?.result).toMatchObject({ outcome: 'deferred', reason: 'draft_in_composer' });
      expect(await tab.evaluate(() => document.querySelector('#prompt-textarea')?.textContent)).toBe('my own words');
      expect(rig.received).toEqual([]);
      await tab.close();
    });

    it.each([
      ['chatgpt', 'https://chatgpt.com/', '#prompt-textarea'],
      ['claude', 'https://claude.ai/new', '[data-testid="chat-input"]'],
      ['gemini', 'https://gemini.google.com/app', '.ql-editor'],
    ] as const)(
      'with the file of a person in the composer of %s, which stays',
      async (platform, page_url, composer) => {
        rig.claude.options.accounts = 'merged';
        const tab = await rig.firefox.openTab(page_url);
        await tab.until((selector) => document.querySelector(selector) !== null, composer);
        await tab.evaluate(dropFile, composer);
        const before = [rig.chatgpt.sent.length, rig.claude.sends.length, rig.gemini.sends.length];
        const end = await rig.deliver(null, { platform, page_url });
        expect(end?.result).toMatchObject({ outcome: 'deferred', reason: 'draft_in_composer' });
        expect([rig.chatgpt.sent.length, rig.claude.sends.length, rig.gemini.sends.length]).toEqual(before);
        expect(await tab.evaluate(() => document.querySelector('[data-fake-attachment]')?.textContent)).toBe(
          'contract.pdf',
        );
        await tab.close();
      },
    );

    it('while a person types', async () => {
      const { id, tab } = await rig.openConversation();
      await tab.click('#prompt-textarea');
      await tab.type('a');
      expect((await deliverWhileTyping(id, tab, 'a'))?.result).toMatchObject({
        outcome: 'deferred',
        reason: 'person_is_typing',
      });
      expect(rig.received).toEqual([]);
      await tab.close();
    });

    it('while an answer streams, and is sent afterwards under the same plan', async () => {
      const { id, tab } = await rig.openConversation();
      const half = gate();
      rig.chatgpt.control.turns.push({ text: 'A long answer.', half });
      expect((await rig.deliver(id, { message_text: 'first' }))?.result.outcome).toBe('delivered');
      const second = { message_text: 'second', plan_id: 'second' };
      expect((await rig.deliver(id, second))?.result).toMatchObject({
        outcome: 'deferred',
        reason: 'answer_is_streaming',
      });
      half.open();
      await tab.until(() => document.querySelector('[data-testid=stop-button]') === null);
      expect((await rig.deliver(id, second))?.result.outcome).toBe('delivered');
      expect(rig.received).toEqual(['first', 'second']);
      await tab.close();
    });
  });

  it('is sent at once after the answer to what a person has typed and sent by Enter, and not over keys after that', async () => {
    const { id, tab } = await rig.openConversation();
    rig.chatgpt.control.turns.push({ text: 'An answer.' });
    const before = rig.finals;
    await tab.click('#prompt-textarea');
    await tab.type(`hello${KEYS.enter}`);
    await until(() => rig.finals > before);
    await tab.until(() => document.querySelector('[data-testid=stop-button]') === null);
    expect((await rig.deliver(id))?.result).toMatchObject({ outcome: 'delivered', reason: null });
    expect(rig.received).toEqual(['hello', 'carry on']);
    await tab.until(() => document.querySelector('[data-testid=stop-button]') === null);
    await tab.type(KEYS.shift);
    expect((await deliverWhileTyping(id, tab, KEYS.shift))?.result).toMatchObject({
      outcome: 'deferred',
      reason: 'person_is_typing',
    });
    await tab.close();
  });

  describe('finds its page', () => {
    it('in a tab that is hidden', async () => {
      const { id, tab } = await rig.openConversation();
      const front = await rig.firefox.openTab('https://gemini.google.com/app');
      await front.activate();
      expect(await tab.evaluate(() => document.hidden)).toBe(true);
      expect((await rig.deliver(id))?.result.outcome).toBe('delivered');
      expect(rig.received).toEqual(['carry on']);
      await front.close();
      await tab.close();
    });

    it('in one of two tabs of the conversation, once', async () => {
      const { id, tab } = await rig.openConversation();
      const other = await rig.openTab(id);
      expect((await rig.deliver(id))?.result.outcome).toBe('delivered');
      expect(rig.received).toEqual(['carry on']);
      await other.close();
      await tab.close();
    });

    it('in a new tab when the tab was closed', async () => {
      const { id, tab } = await rig.openConversation();
      await tab.close();
      expect((await rig.deliver(id))?.result.outcome).toBe('delivered');
      expect(rig.chatgpt.sent).toMatchObject([{ conversationId: id, text: 'carry on' }]);
    });

    it('in a new tab when the tab shows another conversation now', async () => {
      const { id, tab } = await rig.openConversation();
      const { id: otherId } = rig.chatgpt.addConversation('other', { text: 'Begun.' });
      await tab.open(`https://chatgpt.com/c/${otherId}`);
      expect((await rig.deliver(id))?.result.outcome).toBe('delivered');
      expect(rig.chatgpt.sent).toMatchObject([{ conversationId: id }]);
      await tab.close();
    });

    it('again after a reload', async () => {
      const { id, tab } = await rig.openConversation();
      await tab.reload();
      // A text that is sent before the page has loaded its conversation is lost by the fake page.
      await tab.until(() => document.querySelector('#thread')?.textContent?.includes('Begun.'));
      expect((await rig.deliver(id))?.result.outcome).toBe('delivered');
      expect(rig.received).toEqual(['carry on']);
      await tab.close();
    });
  });

  describe('of one plan', () => {
    it('is sent once, however often it is asked for', async () => {
      const { id, tab } = await rig.openConversation();
      const first = rig.send(id, { plan_id: 'once', request_id: 'once-1' });
      const second = rig.send(id, { plan_id: 'once', request_id: 'once-2' });
      expect((await rig.end(first))?.result.outcome).toBe('delivered');
      expect((await rig.end(second))?.result.outcome).toBe('delivered');
      expect((await rig.deliver(id, { plan_id: 'once', request_id: 'once-3' }))?.result.outcome).toBe('delivered');
      expect(rig.received).toEqual(['carry on']);
      await tab.close();
    });

    it('is uncertain and not sent again when the background page ended between the press and the evidence', async () => {
      const { id, tab } = await rig.openConversation();
      const hold = gate();
      rig.chatgpt.control.turns.push({ text: 'Late.', hold });
      rig.send(id, { plan_id: 'cut' });
      await until(() => rig.received.length === 1);
      await rig.restartExtension();
      hold.open();
      const end = await rig.deliver(id, { plan_id: 'cut' });
      expect(end?.result).toMatchObject({ outcome: 'uncertain', reason: 'interrupted_after_send' });
      expect(rig.received).toEqual(['carry on']);
      await tab.close();
    });
  });

  it('is found again in a reading of the site, with the plan that it was sent for', async () => {
    const { id, tab } = await rig.openConversation();
    await rig.deliver(id, { message_text: 'find me', plan_id: 'findable' });
    await tab.until(() => document.querySelector('[data-testid=stop-button]') === null);
    const { conversation, failed } = await rig.read(id);
    expect(failed).toBe(false);
    expect(conversation).toMatchObject({ conversation_id: id, source: 'site' });
    expect(conversation?.messages.find(({ text }) => text === 'find me')).toMatchObject({
      role: 'user',
      plan_id: 'findable',
    });
    await tab.close();
  });
});
