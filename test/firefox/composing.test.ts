/** Typing into the real editors of the chat sites, in a real Firefox: what the server received is the proof. */
import { rm } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ComposeOrder, ComposeOutcome, PressOutcome, WithdrawOutcome } from '../../extension/messages.ts';
import { buildComposingExtension } from '../support/composing/extension.ts';
import { dropFile } from '../support/sites/drop-file.ts';
import type { MountEditor, MountedEditor } from '../support/sites/editors/page/editor.ts';
import type { FirefoxTab } from '../support/sites/firefox-tab.ts';
import { describeWithFirefox, Firefox } from '../support/sites/open-firefox.ts';
import { SitesServer } from '../support/sites/server.ts';
import type { FakeSite } from '../support/sites/site.ts';

declare const fakeEditor: { mountEditor: MountEditor };
interface EditorWindow extends Window {
  editor: MountedEditor;
}
declare const window: EditorWindow;

const EDITORS = {
  prosemirror: 'lines',
  'prosemirror that drops blank lines': 'paste lines',
  quill: 'paste',
  lexical: 'insert paste',
  textarea: 'value',
} as const;
type Editor = keyof typeof EDITORS;
const EDITOR_NAMES = Object.keys(EDITORS) as Editor[];

const FENCE = '`'.repeat(3);
const LINES = Array.from({ length: 1_300 }, (_, n) => `${n}\t"ключ\\${n}" — 漢字 🎼  two spaces ${'x'.repeat(40)}`);
const TEXTS: [what: string, text: string][] = [
  ['several lines', 'one\ntwo\nthree'],
  ['text that is not ASCII', 'Grüße, Ελλάδα, русский, 漢字, العربية, é as e\u0301'],
  ['emoji', '🎼 👩‍👩‍👧‍👦 🇩🇪 👍🏽'],
  ['code fences', `see\n${FENCE}baa\n@host::exec {"command":"echo '<b>&amp;</b>'"}\n${FENCE}\n`],
  ['backslashes', 'C:\\dir\\new\\table \\n \\\\ \\u0041 \\*not bold\\*'],
  ['tabs and spaces', '\tindented\n\t\ttwice\n  two  spaces   three\na\tb'],
  ['blank lines', 'one\n\n\nfour\n\nsix'],
  ['100 KB', LINES.join('\n').slice(0, 100_000)],
];

const site: FakeSite = {
  hosts: ['chatgpt.com'],
  handle({ url, method }, response) {
    if (method === 'POST') return void response.writeHead(200).end();
    const editor = url.searchParams.get('editor') ?? '';
    response.writeHead(200, { 'content-type': 'text/html; charset=utf-8' });
    response.end(
      `<!doctype html><title>chat</title><style>[contenteditable]{white-space:pre-wrap}</style>` +
        `<div id="host"></div><button id="send" disabled>Send</button>` +
        (editor === 'textarea' ? '' : `<script src="/fake-editors/${editor}.js"></script>`),
    );
  },
};

describeWithFirefox('typing into an editor', () => {
  let server: SitesServer;
  let firefox: Firefox;
  let extension: string;
  beforeAll(async () => {
    extension = await buildComposingExtension();
    server = await SitesServer.start([site]);
    firefox = await Firefox.start({ port: server.port });
    await firefox.install(extension);
  });
  afterAll(async () => {
    await firefox.close();
    await server.stop();
    await rm(extension, { recursive: true });
    expect(server.errors).toEqual([]);
  });

  async function openEditor(
    editor: Editor,
    { path = '/', chunk = '', attachmentAbove = 1e9 } = {},
  ): Promise<FirefoxTab> {
    const name = editor.split(' ')[0] ?? '';
    const tab = await firefox.openTab(`https://chatgpt.com${path}?editor=${name}`);
    await tab.evaluate(mountEditor, editor, EDITORS[editor], chunk, attachmentAbove);
    return tab;
  }

  async function order<Result>(tab: FirefoxTab, call: string, params: object): Promise<Result> {
    return JSON.parse(await tab.evaluate(askComposing, call, JSON.stringify(params))) as Result;
  }
  const compose = (tab: FirefoxTab, text: string, more: Partial<ComposeOrder> = {}) =>
    order<ComposeOutcome>(tab, 'compose', { planId: 'p', text, conversationId: null, timeoutMs: 60_000, ...more });
  const press = (tab: FirefoxTab) => order<PressOutcome>(tab, 'press', { planId: 'p', timeoutMs: 60_000 });
  const withdraw = (tab: FirefoxTab, text: string) => order<WithdrawOutcome>(tab, 'withdraw', { planId: 'p', text });
  const shownText = (tab: FirefoxTab) => tab.evaluate(() => window.editor.text());
  const received = (): string[] => server.received('/sent').map(({ body }) => body.toString());

  describe.each(EDITOR_NAMES)('%s', (editor) => {
    it.each(TEXTS)('sends %s unchanged', async (_what, text) => {
      const tab = await openEditor(editor);
      expect(await compose(tab, text)).toMatchObject({ typed: true });
      expect(await press(tab)).toMatchObject({ pressed: true });
      await tab.until(() => document.documentElement.dataset.sent === '1');
      expect(received().at(-1)).toBe(text);
      await tab.close();
    });

    it('sends everything unchanged from a hidden tab, in parts', async () => {
      const text = TEXTS.map(([, one]) => one).join('\n');
      const tab = await openEditor(editor, { chunk: '3999' });
      const front = await firefox.openTab('https://chatgpt.com/');
      await front.activate();
      expect(await tab.evaluate(() => document.visibilityState)).toBe('hidden');
      expect(await compose(tab, text)).toMatchObject({ typed: true });
      expect(await press(tab)).toMatchObject({ pressed: true });
      await tab.until(() => document.documentElement.dataset.sent === '1');
      expect(received().at(-1)).toBe(text);
      await front.close();
      await tab.close();
    });

    it('is empty again when the message is withdrawn', async () => {
      const tab = await openEditor(editor);
      await compose(tab, 'one\n\ntwo');
      expect(await withdraw(tab, 'one\n\ntwo')).toEqual({ wasThere: true, isCleared: true });
      expect(await shownText(tab)).toBe('');
      expect(await press(tab)).toMatchObject({ pressed: false, refusal: 'not_composed' });
      await tab.close();
    });
  });

  describe('of which the site makes a file', () => {
    it('is refused, and the composer is occupied until a person removes the file', async () => {
      const tab = await openEditor('quill', { attachmentAbove: 10 });
      expect(await compose(tab, 'a text that is longer')).toMatchObject({ typed: false, refusal: 'became_attachment' });
      expect(await compose(tab, 'short')).toMatchObject({ typed: false, refusal: 'draft_in_composer' });
      await tab.evaluate(() => window.editor.clear());
      expect(await compose(tab, 'short')).toMatchObject({ typed: true });
      await tab.close();
    });
  });

  describe('is refused, and leaves nothing of ours in the composer,', () => {
    it.each(EDITOR_NAMES.filter((name) => name !== 'textarea'))(
      'while a file of a person lies in it, also one that comes between the typing and the press: %s',
      async (editor) => {
        const tab = await openEditor(editor);
        expect(await compose(tab, 'one')).toMatchObject({ typed: true });
        await tab.evaluate(dropFile, '#composer');
        expect(await press(tab)).toMatchObject({ pressed: false, refusal: 'draft_in_composer' });
        expect(await shownText(tab)).toBe('');
        expect(await compose(tab, 'one')).toMatchObject({ typed: false, refusal: 'draft_in_composer' });
        expect(await shownText(tab)).toBe('');
        expect(await tab.evaluate(() => window.editor.attachments())).toEqual(['contract.pdf']);
        await tab.close();
      },
    );

    it('when the page came to another conversation before the press', async () => {
      const tab = await openEditor('prosemirror');
      await compose(tab, 'one');
      await tab.evaluate(() => history.pushState(null, '', '/c/another'));
      expect(await press(tab)).toMatchObject({ pressed: false, refusal: 'other_conversation' });
      expect(await shownText(tab)).toBe('');
      await tab.close();
    });

    it('when the document shows another conversation than its address', async () => {
      const tab = await openEditor('prosemirror', { path: '/c/c1' });
      await tab.evaluate(() => {
        document.documentElement.dataset.conversation = 'c2';
      });
      const refused = { typed: false, refusal: 'other_conversation' };
      expect(await compose(tab, 'one', { conversationId: 'c1' })).toMatchObject(refused);
      await tab.close();
    });

    it('when an answer begins before the press', async () => {
      const tab = await openEditor('lexical');
      await compose(tab, 'one');
      await tab.evaluate(() => {
        document.body.append(Object.assign(document.createElement('i'), { id: 'stop' }));
      });
      expect(await press(tab)).toMatchObject({ pressed: false, refusal: 'answer_is_streaming' });
      expect(await shownText(tab)).toBe('');
      await tab.close();
    });

    it('when a person types into it before the press, whose text stays', async () => {
      const tab = await openEditor('prosemirror');
      await compose(tab, 'one');
      await tab.click('#composer');
      await tab.type('x');
      expect(await press(tab)).toMatchObject({ pressed: false, refusal: 'person_is_typing' });
      expect(await shownText(tab)).toContain('x');
      await tab.close();
    });

    it('when no order to press comes in time', async () => {
      const tab = await openEditor('quill');
      expect(await compose(tab, 'one', { timeoutMs: 5_000 })).toMatchObject({ typed: true });
      await tab.until(() => window.editor.text() === '');
      expect(await press(tab)).toMatchObject({ pressed: false, refusal: 'not_composed' });
      await tab.close();
    });

    it('when it is withdrawn while it is typed', async () => {
      const tab = await openEditor('quill', { chunk: '2' });
      const text = 'many parts '.repeat(2_000);
      const typing = compose(tab, text);
      await tab.until(() => window.editor.text().length > 10);
      await withdraw(tab, text);
      expect(await typing).toMatchObject({ typed: false, refusal: 'canceled' });
      expect(await shownText(tab)).toBe('');
      await tab.close();
    });
  });
});

/** Runs in the page. */
function mountEditor(editor: string, methods: string, chunk: string, attachmentAbove: number): void {
  const host = document.querySelector<HTMLElement>('#host');
  const send = document.querySelector<HTMLButtonElement>('#send');
  if (!host || !send) throw new Error('the page is not the one of this test');
  Object.assign(document.documentElement.dataset, { methods, ...(chunk !== '' && { chunk }) });
  if (editor === 'textarea') {
    const area = document.createElement('textarea');
    area.id = 'composer';
    host.append(area);
    window.editor = {
      element: area,
      text: () => area.value,
      clear: () => {
        area.value = '';
      },
      attachments: () => [],
      onSubmit: null,
      onChange: null,
    };
    area.addEventListener('input', () => window.editor.onChange?.());
  } else {
    const pasteDropsBlankLines = editor.endsWith('blank lines');
    // Enter from a script sends, so that a way of typing that presses Enter is found out.
    const attributes = { id: 'composer' };
    const options = { attributes, attachmentAbove, untrustedEnterSends: true, pasteDropsBlankLines };
    window.editor = fakeEditor.mountEditor(host, options);
  }
  const submit = (): void => {
    const text = window.editor.text();
    window.editor.clear();
    void fetch('/sent', { method: 'POST', body: text }).then(() => {
      document.documentElement.dataset.sent = '1';
    });
  };
  window.editor.onSubmit = submit;
  window.editor.onChange = () => {
    send.disabled = window.editor.text() === '';
  };
  send.addEventListener('click', submit);
}

/** Runs in the page. */
function askComposing(call: string, order: string): Promise<string> {
  return new Promise((resolve) => {
    const id = crypto.randomUUID();
    const respond = (event: Event): void => resolve((event as CustomEvent<string>).detail);
    document.addEventListener(`test-result-${id}`, respond, { once: true });
    document.dispatchEvent(
      new CustomEvent('test-order', { detail: JSON.stringify({ id, call, order: JSON.parse(order) as unknown }) }),
    );
  });
}
