import { JSDOM } from 'jsdom';
import { describe, expect, it } from 'vitest';
import { page } from '../../../../../extension/sites/chatgpt/page/page.ts';
import { A1, C, U1 } from './scene.ts';

function documentOf(body: string, url = `https://chatgpt.com/c/${C}`): Document {
  return new JSDOM(`<!doctype html><html><body>${body}</body></html>`, { url }).window.document;
}

const LOGGED_IN = `<script type="application/json" id="client-bootstrap">${JSON.stringify({
  authStatus: 'logged_in',
  session: { user: { id: 'user-1', email: 'e@example.com' }, accessToken: 'secret' },
})}</script>`;
const LOGGED_OUT = '<script type="application/json" id="client-bootstrap">{"authStatus":"logged_out"}</script>';
const editor = (inner: string) => `<div id="prompt-textarea" contenteditable="true" class="ProseMirror">${inner}</div>`;
const EMPTY = editor(
  '<p class="placeholder" data-placeholder="Ask anything"><br class="ProseMirror-trailingBreak"></p>',
);
const shellForm = (inner: string, label: string) =>
  `<form data-chatgpt-composer><div contenteditable="true" role="textbox">${inner}</div>
   <button type="submit" class="bg-composer-primary" aria-label="${label}"></button></form>`;

const legacyTurn = (inner: string, after = '<button data-testid="copy-turn-action-button"></button>') =>
  `<section data-testid="conversation-turn-2" data-turn="assistant"><h6 class="sr-only">ChatGPT said:</h6>
   <div data-message-id="${A1}" data-message-author-role="assistant"><div class="markdown prose">${inner}</div></div>${after}</section>`;
const unit = (inner: string, controls = '<div class="turn-action-controls"></div>') =>
  `<div data-turn-key="k"><div data-chatgpt-search-unit-key="k:assistant" data-chatgpt-search-message-ids="t1 ${A1}">
   <div data-markdown-text-style="assistant-message">${inner}</div></div>${controls}</div>`;
const blocks = (html: string) => page.turns(documentOf(html)).at(-1)?.blocks;

describe("The composer of ChatGPT's page", () => {
  it('is found in either renderer, and never is a decoy', () => {
    const decoys = '<textarea name="prompt-textarea" hidden></textarea><input id="pending-home-input">';
    expect(page.composer(documentOf(decoys))).toBeNull();
    expect(page.composer(documentOf(`<form>${decoys}${EMPTY}</form>`))).toMatchObject({ rank: 0, chunkChars: 4000 });
    expect(page.composer(documentOf(shellForm('<p></p>', 'Voice')))).toMatchObject({ rank: 0 });
    expect(page.composer(documentOf('<textarea id="prompt-textarea"></textarea>'))).toMatchObject({
      methods: ['value'],
    });
  });

  it('is the one of the active page, not of a page that was left', () => {
    const left = `<main data-app-shell-active-page="false">${shellForm('<p>old draft</p>', 'Send')}</main>`;
    const active = `<main data-app-shell-active-page="true">${shellForm('<p>new</p>', 'Send')}</main>`;
    const composer = page.composer(documentOf(left + active));
    expect(composer && page.composedText(composer)).toBe('new');
    expect(page.composer(documentOf(left))).toBeNull();
  });

  it.each([
    ['', EMPTY],
    ['one', editor('<p>one</p>')],
    ['one\n\n\ttwo', editor('<p>one</p><p><br class="ProseMirror-trailingBreak"></p><p>\ttwo</p>')],
    ['one\ntwo', editor('<p>one<br>two</p>')],
    ['one\n', editor('<p>one<br><br class="ProseMirror-trailingBreak"></p>')],
    ['a **b** c', editor('<p>a <span>**<b>b</b>**</span> c</p>')],
  ])('holds the text %j', (text, html) => {
    const composer = page.composer(documentOf(html));
    expect(composer && page.composedText(composer)).toBe(text);
  });

  it('counts its attachments, and neither the button that attaches nor the files of a message', () => {
    const tile = '<div class="group/file-tile">a.pdf</div>';
    const attach = '<button data-testid="composer-attachment-button"></button>';
    const count = (html: string) => page.attachments?.(documentOf(html));
    expect(count(`<form>${EMPTY}${attach}</form>`)).toBe(0);
    expect(count(`<form>${tile}${tile}${EMPTY}</form>`)).toBe(2);
    expect(count(`<form>${EMPTY}<div role="group" aria-label="a.pdf"></div></form>`)).toBe(1);
    expect(count(`${tile}<form>${tile}<textarea></textarea></form><form>${EMPTY}</form>`)).toBe(0);
    expect(count(tile)).toBe(0);
  });
});

describe("The buttons of ChatGPT's page", () => {
  it('are found by test id, and a disabled one does not count', () => {
    const send = (more: string) =>
      documentOf(`<form>${editor('<p>x</p>')}<button data-testid="send-button" ${more}></button></form>`);
    expect(page.sendButton(send(''))).toMatchObject({ rank: 0 });
    expect(page.sendButton(send('disabled'))).toBeNull();
    expect(page.sendButton(send('aria-disabled="true"'))).toBeNull();
  });

  it.each(['stop-button', 'composer-stop-button'])('stop an answer when %s is there, and none sends then', (id) => {
    const document = documentOf(
      `<form>${editor('<p>x</p>')}<button id="composer-submit-button" data-testid="${id}"></button></form>`,
    );
    expect(page.isAnswering(document)).toBe(true);
    expect(page.sendButton(document)).toBeNull();
  });

  it('are one button in the app shell, which sends only while there is text and no answer is written', () => {
    const state = (inner: string, label: string, turn = unit('Sure')) => {
      const document = documentOf(turn + shellForm(inner, label));
      return [page.sendButton(document) !== null, page.isAnswering(document)];
    };
    expect(state('<p><br></p>', 'Start Voice')).toEqual([false, false]);
    expect(state('<p>x</p>', 'Send prompt')).toEqual([true, false]);
    expect(state('<p>x</p>', '停止')).toEqual([false, true]);
    expect(state('<p>x</p>', 'Haltigi', unit('<p data-markdown-animated>Su</p>', ''))).toEqual([false, true]);
    expect(state('<p>x</p>', 'Haltigi', unit('', ''))).toEqual([false, true]);
  });
});

describe("The messages of ChatGPT's page", () => {
  it('have the id of the answer, also after messages to tools, and leave out pages that were left', () => {
    const left = `<main data-app-shell-active-page="false">${unit('old').replaceAll(A1, 'left')}</main>`;
    const document = documentOf(`${left}<main data-app-shell-active-page="true">
      <div data-turn-key="u"><div data-chatgpt-search-unit-key="u:user" data-chatgpt-search-message-ids="${U1}">hi</div></div>
      ${unit('Sure')}</main>`);
    expect(page.turns(document).map(({ role, id, isFinished, text }) => [role, id, isFinished, text.trim()])).toEqual([
      ['user', U1, true, 'hi'],
      ['assistant', A1, true, 'Sure'],
    ]);
  });

  it('leave out hidden labels', () => {
    expect(page.turns(documentOf(legacyTurn('<p>Sure</p>')))).toMatchObject([
      { id: A1, text: 'Sure', isFinished: true },
    ]);
  });

  it('are unfinished while they are streamed or have no buttons yet', () => {
    const isFinished = (html: string) => page.turns(documentOf(html))[0]?.isFinished;
    expect(isFinished(legacyTurn('Su', ''))).toBe(false);
    expect(isFinished(legacyTurn('<p class="result-streaming">Su</p>'))).toBe(false);
    expect(isFinished(unit('<p data-markdown-animated>Su</p>'))).toBe(false);
    expect(isFinished(unit('Su', ''))).toBe(false);
  });

  const shellBlock = (inner: string, language = 'baa') =>
    unit(
      `<div data-markdown-copy="code-block"><div data-markdown-copy="exclude"><span>${language}</span><button>Copy</button></div>${inner}</div>`,
    );

  it.each([
    ['the older blocks', legacyTurn('<pre><code class="hljs language-baa">a\n\n\tb\n</code></pre>')],
    [
      'older blocks with a header',
      legacyTurn(
        '<pre><div><div>baa</div><button>Copy</button></div><div><code class="language-baa">a\n\n\tb\n</code></div></pre>',
      ),
    ],
    [
      'older blocks whose header alone names the language',
      legacyTurn('<pre><div>baa<button>Copy</button></div><code>a\n\n\tb\n</code></pre>'),
    ],
    ['blocks of the app shell', shellBlock('<pre><code>a\n\n\tb\n</code></pre>')],
    [
      'blocks of CodeMirror',
      shellBlock(
        '<div class="cm-editor"><div class="cm-content" data-language="baa"><div class="cm-line">a</div><div class="cm-line"><br></div><div class="cm-line">\tb</div></div></div>',
      ),
    ],
  ])('have the text of %s', (_name, html) => {
    expect(blocks(html)).toEqual([{ text: 'a\n\n\tb' }]);
  });

  it.each([
    ['of the older page', (language: string) => legacyTurn(`<pre><div>${language}</div><code>a\n</code></pre>`)],
    ['of the app shell', (language: string) => shellBlock('<pre><code>a\n</code></pre>', language)],
  ])('have no text of a block whose header alone says BAA %s, as the text may say that too', (_page, html) => {
    expect(blocks(html('BAA'))).toEqual([{ text: null }]);
    expect(blocks(html('Baa'))).toEqual([{ text: null }]);
    expect(blocks(html('baa'))).toEqual([{ text: 'a' }]);
    expect(blocks(html('BAAB'))).toEqual([]);
  });

  it('leave out a block whose fence says BAA, which is no block in the text either', () => {
    expect(blocks(legacyTurn('<pre><div>BAA</div><code class="language-BAA">a\n</code></pre>'))).toEqual([]);
    const editor = '<div class="cm-content" data-language="BAA"><div class="cm-line">a</div></div>';
    expect(blocks(shellBlock(editor))).toEqual([]);
  });

  it('have no text of a block that CodeMirror has drawn in part', () => {
    const gap =
      '<div class="cm-content" data-language="baa"><div class="cm-line">a</div><div class="cm-gap"></div></div>';
    expect(blocks(shellBlock(gap))).toEqual([{ text: null }]);
  });

  it('leave out blocks of another language, and keep the order', () => {
    const block = (name: string, text: string) => `<pre><code class="language-${name}">${text}</code></pre>`;
    expect(blocks(legacyTurn(block('baa', '1') + block('js', 'x') + block('baa', '2') + block('baab', 'x')))).toEqual([
      { text: '1' },
      { text: '2' },
    ]);
    expect(blocks(shellBlock('<pre><code>x</code></pre>', 'bash'))).toEqual([]);
  });
});

describe("What keeps ChatGPT's page from sending", () => {
  const obstacle = (html: string) => page.obstacle(documentOf(html))?.kind ?? null;

  it('is nothing on the usual page, which loads parts of the security check too', () => {
    const check =
      '<iframe src="https://challenges.cloudflare.com/x"></iframe><script src="/cdn-cgi/challenge-platform/x.js"></script>';
    expect(obstacle(LOGGED_IN + EMPTY + check)).toBeNull();
  });

  it.each([
    ['challenge', '<form id="challenge-form"></form>'],
    ['challenge', '<script src="/cdn-cgi/challenge-platform/h/b/orchestrate"></script>'],
    ['signed_out', LOGGED_OUT + EMPTY],
    ['signed_out', `${EMPTY}<button data-testid="login-button">Se connecter</button>`],
    ['limit', `${EMPTY}<div role="alert">Too many requests</div>`],
    ['limit', `${EMPTY}<div data-testid="toast">您已达到上限</div>`],
    ['choice', `${EMPTY}<button data-testid="paragen-prefer-response-button"></button>`],
    ['choice', `${EMPTY}<button data-testid="continue-generating-button"></button>`],
    ['permission', `${EMPTY}<div role="alertdialog">?</div>`],
    ['permission', `${EMPTY}<div role="dialog" aria-modal="true">?</div>`],
    ['error', `${EMPTY}<button data-testid="regenerate-thread-error-button"></button>`],
  ])('is a %s in %s', (kind, html) => {
    expect(obstacle(html)).toBe(kind);
  });

  it('is nothing that is hidden, and no words of a message', () => {
    expect(obstacle(`${EMPTY}<div role="dialog" aria-modal="true" hidden></div>`)).toBeNull();
    expect(obstacle(EMPTY + legacyTurn('<p>Too many requests</p>'))).toBeNull();
  });
});

describe("The person of ChatGPT's page", () => {
  it('is known by the data that the page begins with, of which only the id is read', () => {
    expect(page.login(documentOf(LOGGED_IN))).toEqual({ login: 'fresh', account: 'user-1' });
    expect(page.login(documentOf(LOGGED_OUT))).toEqual({ login: 'lost', account: null });
    expect(page.login(documentOf(EMPTY))).toBeNull();
    expect(page.login(documentOf('<script type="application/json" id="client-bootstrap">{</script>'))).toBeNull();
  });
});

describe("The workspace of ChatGPT's page", () => {
  it.each([
    ['', ''],
    ['a=b', ''],
    ['_account=personal', ''],
    [`_account=${A1.toUpperCase()}`, A1],
  ])('is, with the cookies %j, %j', (cookies, expected) => {
    const document = documentOf(EMPTY);
    for (const cookie of cookies.split('; ')) document.cookie = cookie;
    expect(page.workspace?.(document)).toBe(expected);
  });
});

describe("The conversation of ChatGPT's page", () => {
  it('is the one that the list of conversations marks as open', () => {
    const link = (more: string) => `<nav><a href="/c/${A1}">other</a><a href="/g/g-p-1/c/${C}" ${more}>this</a></nav>`;
    expect(page.shownConversation(documentOf(link('aria-current="page"')))).toBe(C);
    expect(page.shownConversation(documentOf(link('data-active')))).toBe(C);
    expect(page.shownConversation(documentOf(link('')))).toBeNull();
    expect(page.shownConversation(documentOf(`<nav><a aria-current="page" href="/c/WEB:${C}">x</a></nav>`))).toBeNull();
  });

  it('is read under the session of the page, and of the workspace that the page works in', () => {
    const request = (kind: 'conversation' | 'provisional', cookies = '') =>
      page.readingRequest(documentOf(''), { kind, conversationId: kind === 'conversation' ? C : null }, cookies);
    expect(request('provisional')).toBeNull();
    expect(request('conversation')).toMatchObject({
      url: expect.stringContaining(`/backend-api/conversations/${C}?`),
      method: 'GET',
      token: { field: 'accessToken', header: 'authorization' },
      otherUrl: `https://chatgpt.com/backend-api/conversation/${C}`,
    });
    expect(request('conversation', `a=b; _account=${A1}; c=d`)?.headers['chatgpt-account-id']).toBe(A1);
    expect(request('conversation', '_account=personal')?.headers['chatgpt-account-id']).toBeUndefined();
  });
});
