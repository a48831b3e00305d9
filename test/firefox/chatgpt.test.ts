/** The whole path on ChatGPT: a person writes in the page, the host acts, the reply arrives in the page. */
import { existsSync, readFileSync } from 'node:fs';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { ChatgptSite } from '../support/sites/chatgpt/chatgpt-site.ts';
import type { ChatgptControl, Turn } from '../support/sites/chatgpt/turn.ts';
import { defaultControl } from '../support/sites/chatgpt/turn.ts';
import type { FirefoxTab } from '../support/sites/firefox-tab.ts';
import { describeWithManifests } from '../support/sites/manifests.ts';
import { gate } from '../support/sites/streaming.ts';
import { WholeSystem } from '../support/sites/whole-system.ts';

const COMPOSER = { legacy: '#prompt-textarea', 'app-shell': 'main:not([hidden]) [role=textbox]' };
const HOME = 'https://chatgpt.com/';

function writes(path: string, content = path): string {
  return `\`\`\`baa\n@conductor::files/write::${JSON.stringify({ path, content })}\n\`\`\``;
}

/** Answers that come in another form than the usual one. Each is final, so each acts once. */
const FORMS: [string, Partial<Turn>, Partial<ChatgptControl>][] = [
  ['in the app shell', {}, { renderer: 'app-shell' }],
  ['in pieces that cut characters', { pace: { pieceBytes: 7, everyMs: 1 } }, {}],
  ['in the older frames', { transport: 'cumulative' }, {}],
  ['on a WebSocket after a handoff', { transport: 'handoff' }, {}],
  ['on a WebSocket, with the older endpoint of readings', { transport: 'handoff' }, { reading: 'tree' }],
  [
    'on a WebSocket while no conversation can be read, final by what the page shows',
    { transport: 'handoff' },
    { refusals: Array.from({ length: 20 }, () => ({ at: 'read', status: 500, body: { detail: 'later' } })) },
  ],
  ['with one mark of the end only', { end: 'done' }, {}],
  ['without any mark of the end, final by a reading', { end: 'missing' }, {}],
  ['on a connection that breaks, final by a reading', { end: 'cut' }, {}],
  ['in a request that the page ends early', {}, { endsRequestEarly: true }],
  ['in a conversation with a provisional address', {}, { provisionalMs: 2_000 }],
  ['in code that the page draws in part', {}, { renderer: 'app-shell', hasCodeEditor: true }],
];

describeWithManifests('on ChatGPT', (manifest) => {
  const site = new ChatgptSite();
  let system: WholeSystem;
  let tab: FirefoxTab;
  let files = 0;
  beforeAll(async () => {
    system = await WholeSystem.start({ sites: [site], manifest });
    tab = await system.firefox.openTab('about:blank');
  });
  beforeEach(() => {
    Object.assign(site.control, defaultControl());
    site.sent.length = 0;
  });
  afterAll(() => system?.stop());

  async function say(text: string): Promise<void> {
    const composer = COMPOSER[site.control.renderer];
    await tab.until((selector) => document.querySelector(selector) !== null, composer);
    await tab.click(composer);
    await tab.evaluate((plain) => {
      // Firefox fills the clipboard of an event from these two only.
      const init = { dataType: 'text/plain', data: plain, bubbles: true, cancelable: true };
      document.activeElement?.dispatchEvent(new ClipboardEvent('paste', init));
      // A key of a person would make the reply wait until the person has surely stopped typing.
      const enter = { key: 'Enter', bubbles: true, cancelable: true };
      document.activeElement?.dispatchEvent(new KeyboardEvent('keydown', enter));
    }, text);
  }

  function newFile(): string {
    files += 1;
    return `file-${files}.txt`;
  }
  const sent = (nth: number) => system.eventually(`send ${nth}`, () => site.sent[nth - 1] ?? null);
  const shows = (text: string) =>
    tab.until((wanted) => document.querySelector('#thread')?.textContent?.includes(wanted) ?? false, text);

  /** Asks for a file in a new conversation and waits until the reply about it has arrived; gives the conversation. */
  async function expectsFile(turn: Partial<Turn>, question = 'please'): Promise<string> {
    const file = newFile();
    site.control.turns.push({ text: `I write 🎼.\n\n${writes(file, `${file} 你好\n`)}\n`, ...turn });
    await tab.open(HOME);
    await say(question);
    const reply = await sent(2);
    expect(readFileSync(system.workspace(file), 'utf8')).toBe(`${file} 你好\n`);
    expect(reply.text).toContain(file);
    expect(reply.conversationId).toBe(site.sent[0]?.conversationId);
    return reply.conversationId;
  }

  it('an instruction acts on the host once, and its reply arrives in the page', async () => {
    const conversationId = await expectsFile({});
    await shows('Understood.');
    const messages = await system.eventually('both answers', async () => {
      const found = await system.messagesOf(conversationId);
      return found.length === 2 ? found : null;
    });
    const ids = [...(site.conversations.get(conversationId)?.messages.values() ?? [])].filter(
      ({ author }) => author.role === 'assistant',
    );
    expect(messages.map((one) => one.assistant_message_id)).toEqual(ids.map(({ id }) => id));
    expect(await system.instructions(messages[0]?.message_id ?? '')).toMatchObject([
      { tool: 'files/write', status: 'succeeded' },
    ]);
  });

  it.each(FORMS)('an instruction acts once when its answer comes %s', async (_name, turn, control) => {
    Object.assign(site.control, control);
    const conversationId = await expectsFile(turn);
    const messages = await system.messagesOf(conversationId);
    expect(new Set(messages.map((one) => one.assistant_message_id)).size).toBe(messages.length);
  });

  it('thoughts, code for tools, their output, commentary and the words of the person never act', async () => {
    const never = newFile();
    const block = writes(never);
    const kinds = ['thoughts', 'recap', 'commentary', 'tool_call', 'tool_output'] as const;
    await expectsFile({ asides: kinds.map((kind) => ({ kind, text: block })) }, block);
    expect(site.sent[0]?.text).toBe(block);
    expect(existsSync(system.workspace(never))).toBe(false);
  });

  it.each<[string, Partial<Turn>]>([
    ['was cut by its length', { finish: 'max_tokens' }],
    ['was stopped', { finish: 'interrupted' }],
    ['is one of two', { isChoice: true }],
    ['failed', { failure: 'Something went wrong' }],
  ])('an answer that %s never acts', async (_name, turn) => {
    const never = newFile();
    site.control.turns.push({ text: `${writes(never)}\n`, ...turn });
    await tab.open(HOME);
    await say('please');
    await sent(1);
    await tab.until(() => document.querySelector('[data-testid=stop-button]') === null);
    site.sent.length = 0;
    await expectsFile({});
    expect(existsSync(system.workspace(never))).toBe(false);
  });

  it.each([true, false])(
    'an answer is taken once when the page is reloaded in its middle (resumable: %s)',
    async (isResumable) => {
      Object.assign(site.control, { isResumable });
      const file = newFile();
      const half = gate();
      site.control.turns.push({ text: `First some words.\n\n${writes(file)}\n`, half });
      await tab.open(HOME);
      await say('please');
      await shows('First some');
      await tab.until(() => location.pathname.startsWith('/c/'));
      await tab.reload();
      half.open();
      const reply = await sent(2);
      expect(readFileSync(system.workspace(file), 'utf8')).toBe(file);
      const messages = await system.messagesOf(reply.conversationId);
      expect(new Set(messages.map((one) => one.assistant_message_id)).size).toBe(messages.length);
    },
  );

  it('an answer that is made again, and the answer to an edited question, are new messages', async () => {
    const conversationId = await expectsFile({});
    await shows('Understood.');
    const [again, edited] = [newFile(), newFile()];
    site.control.turns.push({ text: `${writes(again)}\n` });
    await tab.until(() => document.querySelector('[data-fake=regenerate]') !== null);
    await tab.evaluate(() => [...document.querySelectorAll<HTMLElement>('[data-fake=regenerate]')].at(-1)?.click());
    await sent(3);
    expect(readFileSync(system.workspace(again), 'utf8')).toBe(again);
    await shows('Understood.');
    await tab.until(() => document.querySelector('[data-testid=stop-button]') === null);
    site.control.turns.push({ text: `${writes(edited)}\n` });
    await tab.evaluate(() => {
      document.querySelector<HTMLElement>('[data-fake=edit]')?.click();
      const field = document.querySelector<HTMLTextAreaElement>('[data-fake=edited]');
      if (field) field.value = 'something else';
      document.querySelector<HTMLElement>('[data-fake=save]')?.click();
    });
    await sent(5);
    expect(readFileSync(system.workspace(edited), 'utf8')).toBe(edited);
    expect((await system.messagesOf(conversationId)).length).toBeGreaterThanOrEqual(4);
  });
});
