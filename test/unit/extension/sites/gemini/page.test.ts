import { JSDOM } from 'jsdom';
import { describe, expect, it } from 'vitest';
import { GEMINI } from '../../../../../extension/sites/gemini/gemini.ts';
import { HEX } from './fixture.ts';

const { page } = GEMINI;
const PLACE = `https://gemini.google.com/u/1/app/${HEX}`;

function documentOf(html: string, url = PLACE): Document {
  return new JSDOM(`<!doctype html><body>${html}</body>`, { url }).window.document;
}

const DATA = `<script>window.WIZ_global_data = {"FdrFJe":"-77","SNlM0e":"AJ\\u002dtok/+:17","S06Grb":"1234","TuX5cc":"de","cfb2h":"boq_1","oPEP7c":"a@b.c"};</script>`;
const SIGNED_OUT = `<script>window.WIZ_global_data = {"FdrFJe":"-77","S06Grb":"","TuX5cc":"de","cfb2h":"boq_1"};</script>`;
const SIGN_IN = '<a href="https://accounts.google.com/ServiceLogin?continue=x">Anmelden</a>';

const composer = (lines: string) =>
  `<rich-textarea><div class="ql-editor" contenteditable="true" role="textbox">${lines}</div>` +
  `<div class="ql-clipboard" contenteditable="true"></div></rich-textarea>`;
const slot = (classes: string, icon: string, attributes = '') =>
  `<div class="send-button-container"><button class="${classes}" ${attributes}><mat-icon fonticon="${icon}"></mat-icon></button></div>`;

function answer(turn: string, body: string, footer: string): string {
  return `<model-response><h2 class="cdk-visually-hidden">Gemini sagte</h2><model-thoughts>hm</model-thoughts>
<message-content><div class="markdown" id="model-response-message-content${turn}">${body}</div></message-content>
<div class="${footer}"></div></model-response>`;
}

const block = (language: string, code: string) =>
  `<code-block><div class="code-block"><div class="code-block-decoration"><span>${language}</span><button>copy</button></div>` +
  `<pre><code>${code}</code></pre></div></code-block>`;

describe("Gemini's composer", () => {
  it('is the editor, and not the element for pastes beside it', () => {
    const found = page.composer(documentOf(composer('<p>one</p><p><br></p><p>\tthree</p>')));
    expect(found).toMatchObject({ rank: 0, methods: ['paste', 'insert'], chunkChars: 16_000 });
    expect(found && page.composedText(found)).toBe('one\n\n\tthree');
  });

  it('is empty when Quill shows its one empty line', () => {
    const found = page.composer(documentOf(composer('<p><br></p>')));
    expect(found && page.composedText(found)).toBe('');
  });

  it('is also found by a less trusted selector, which says so', () => {
    const found = page.composer(documentOf('<div class="ql-editor" contenteditable="true"></div>'));
    expect(found?.rank).toBe(1);
    expect(page.composer(documentOf('<div class="ql-clipboard ql-editor" contenteditable="true"></div>'))).toBeNull();
  });

  it('counts the files that go with the message', () => {
    const chips = '<uploader-file-preview></uploader-file-preview>'.repeat(2);
    const older = '<div class="file-preview-container"></div>';
    expect(page.attachments?.(documentOf('<div class="attachment-preview-wrapper"><i></i></div>'))).toBe(0);
    expect(page.attachments?.(documentOf(`<div class="attachment-preview-wrapper">${chips}</div>`))).toBe(2);
    expect(page.attachments?.(documentOf(`<div class="attachment-preview-wrapper">${older}</div>`))).toBe(1);
    expect(page.attachments?.(documentOf(`<user-query>${chips}</user-query>`))).toBe(0);
  });
});

describe("Gemini's one button", () => {
  it('sends when it is there and enabled', () => {
    expect(page.sendButton(documentOf(slot('send-button', 'send')))?.rank).toBe(0);
    expect(page.sendButton(documentOf(''))).toBeNull();
    expect(page.sendButton(documentOf(slot('send-button', 'send', 'disabled')))).toBeNull();
    expect(page.sendButton(documentOf(slot('send-button', 'send', 'aria-disabled="true"')))).toBeNull();
  });

  it('is found by its label in another language when its class has changed', () => {
    const found = page.sendButton(documentOf('<button aria-label="Nachricht senden"></button>'));
    expect(found?.selector).toBe('button[aria-label="Nachricht senden"]');
  });

  it.each([
    ['by its class', slot('send-button stop', 'other')],
    ['by its icon', slot('send-button', 'stop', 'aria-label="Antwort anhalten"')],
    ['by its label', '<button aria-label="Stop response"></button>'],
  ])('stops and does not send while an answer is written: %s', (_how, html) => {
    const document = documentOf(html);
    expect([page.sendButton(document), page.isAnswering(document)]).toEqual([null, true]);
  });

  it('knows of an answer that has no text yet', () => {
    expect(page.isAnswering(documentOf('<pending-response></pending-response>'))).toBe(true);
    expect(page.isAnswering(documentOf(slot('send-button', 'send')))).toBe(false);
  });
});

describe("Gemini's turns", () => {
  const query = `<user-query><div class="query-text"><span class="cdk-visually-hidden">Du:</span>
<p class="query-text-line">eins</p><p class="query-text-line">zwei</p></div></user-query>`;

  it('are in the order of the page, each answer named by its turn', () => {
    const html = query + answer('r_ab', '<p>Sure.</p>', 'response-footer complete') + query;
    expect(page.turns(documentOf(html))).toMatchObject([
      { role: 'user', id: null, text: 'eins\nzwei', isFinished: true },
      { role: 'assistant', id: null, answersId: 'r_ab', text: 'Sure.', isFinished: true, blocks: [] },
      { role: 'user', text: 'eins\nzwei' },
    ]);
  });

  it('give the text of baa blocks, and of no others', () => {
    const html = answer('r_ab', block('Baa', '@host::exec {}\n') + block('Bash', 'ls'), 'response-footer complete');
    expect(page.turns(documentOf(html))[0]?.blocks).toEqual([{ text: '@host::exec {}\n' }]);
  });

  it('do not give a block of an answer that is still written', () => {
    const html = answer('r_ab', block('Baa', '@host::ex'), 'response-footer');
    expect(page.turns(documentOf(html))[0]).toMatchObject({ isFinished: false, blocks: [{ text: null }] });
  });

  it('hold neither labels for screen readers nor thoughts', () => {
    const html = answer('r_ab', '<p>Sure.</p>', '');
    expect(page.turns(documentOf(html))[0]?.text).toBe('Sure.');
  });
});

describe('the conversation that a page of Gemini shows', () => {
  it.each([
    `<div data-test-id="conversation_c_${HEX}" class="selected"></div>`,
    `<div data-test-id="conversation" class="selected" jslog='x;BardVeMetadataKey:[null,["c_${HEX}",null,0]]'></div>`,
    `<a data-test-id="conversation" class="selected" href="/u/1/app/${HEX}"></a>`,
  ])('is the chosen entry of its list: %s', (entry) => {
    const other = '<div data-test-id="conversation_c_ffffffffffffffff"></div>';
    expect(page.shownConversation(documentOf(other + entry))).toBe(HEX);
  });

  it('is not known when no entry is chosen or the entry names none', () => {
    expect(page.shownConversation(documentOf(''))).toBeNull();
    expect(page.shownConversation(documentOf('<div data-test-id="conversation" class="selected"></div>'))).toBeNull();
  });
});

describe('who is signed in to Gemini', () => {
  it('is the account in the data of the session', () => {
    expect(page.login(documentOf(DATA))).toEqual({ login: 'fresh', account: '1234' });
    expect(page.login(documentOf(DATA.replace('"S06Grb":"1234",', '')))).toEqual({ login: 'fresh', account: 'a@b.c' });
  });

  it('is lost without a token when the page asks to sign in, and stops a message', () => {
    const document = documentOf(SIGNED_OUT + SIGN_IN);
    expect(page.login(document)).toEqual({ login: 'lost', account: null });
    expect(page.obstacle(document)).toEqual({ kind: 'signed_out', text: 'Anmelden', resetsAt: null });
  });

  it('is not known before there is data, and a link to sign in means nothing while there is a token', () => {
    expect(page.login(documentOf(''))).toBeNull();
    expect(page.obstacle(documentOf(DATA + SIGN_IN))).toBeNull();
  });
});

describe('an obstacle of Gemini', () => {
  it.each([
    ['<div role="alert">You’ve reached your daily limit. It resets at 5:30 PM</div>', true],
    ['<mat-snack-bar-container>Limit erreicht</mat-snack-bar-container>', true],
    ['<div role="alert">Chat renamed</div>', false],
    ['<model-response><div role="alert">You have reached your limit</div></model-response>', false],
    ['<p>You have reached your limit</p>', false],
  ])('a notice such as %s is a limit: %s', (html, isLimit) => {
    const found = page.obstacle(documentOf(html));
    expect(found?.kind === 'limit').toBe(isLimit);
    if (html.includes('5:30')) expect(found?.resetsAt).toBeGreaterThan(Date.now());
  });

  it('is a security check, and a choice between two answers', () => {
    const check = '<form id="captcha-form">Our   systems\n have detected</form>';
    expect(page.obstacle(documentOf(check))).toMatchObject({ kind: 'challenge', text: 'Our systems have detected' });
    expect(page.obstacle(documentOf('<dual-model-response></dual-model-response>'))?.kind).toBe('choice');
    expect(page.obstacle(documentOf(`<p>${'x'.repeat(999)}</p>`))).toBeNull();
  });
});

describe('the request that reads a conversation on Gemini', () => {
  const address = { kind: 'conversation', conversationId: HEX } as const;

  it('has what the page itself would send, for the account of the address', () => {
    const request = page.readingRequest(documentOf(DATA), address, '');
    const url = new URL(request?.url ?? '');
    expect(url.origin + url.pathname).toBe('https://gemini.google.com/u/1/_/BardChatUi/data/batchexecute');
    expect(Object.fromEntries(url.searchParams)).toEqual({
      rpcids: 'hNvQHb',
      'source-path': `/u/1/app/${HEX}`,
      bl: 'boq_1',
      'f.sid': '-77',
      hl: 'de',
      rt: 'c',
    });
    const form = new URLSearchParams(request?.body ?? '');
    expect(form.get('at')).toBe('AJ-tok/+:17');
    expect(JSON.parse(form.get('f.req') ?? '')).toEqual([
      [['hNvQHb', `["c_${HEX}",10,null,1,[0],[4],null,1]`, null, 'generic']],
    ]);
    expect(request).toMatchObject({ method: 'POST', headers: { 'x-same-domain': '1' } });
  });

  it('is not made without a token or a conversation', () => {
    expect(page.readingRequest(documentOf(SIGNED_OUT), address, '')).toBeNull();
    expect(page.readingRequest(documentOf(DATA), { kind: 'new', conversationId: null }, '')).toBeNull();
  });

  it('takes its data from a script of the document, never from the variables of the page', () => {
    const dom = new JSDOM(`<!doctype html><body></body>`, { url: PLACE, runScripts: 'outside-only' });
    dom.window.eval('window.WIZ_global_data = { SNlM0e: "forged" }');
    expect(page.readingRequest(dom.window.document, address, '')).toBeNull();
  });
});
