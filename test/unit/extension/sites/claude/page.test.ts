import { JSDOM } from 'jsdom';
import { describe, expect, it } from 'vitest';
import { CLAUDE } from '../../../../../extension/sites/claude/claude.ts';
import { ANSWER, CONVERSATION, HUMAN, ORGANIZATION } from './ids.ts';

const { page } = CLAUDE;
const BASE = 'https://claude.ai';
const dom = (html: string, path = `/chat/${CONVERSATION}`) =>
  new JSDOM(html, { url: `${BASE}${path}` }).window.document;
const COMPOSER = '<div data-testid="chat-input" contenteditable="true" class="ProseMirror"><p></p></div>';
const ADDRESS = { kind: 'conversation', conversationId: CONVERSATION } as const;

describe('The composer of claude.ai', () => {
  it.each([
    ['its name for tests', COMPOSER, 0],
    [
      'an editor within it',
      `<div data-testid="chat-input">${COMPOSER.replace('data-testid="chat-input"', '')}</div>`,
      1,
    ],
    ['the editor of a form', '<fieldset><div class="ProseMirror" contenteditable="true"></div></fieldset>', 2],
    ['any editor', '<div class="ProseMirror" contenteditable="true"></div>', 3],
  ])('is found by %s', (_name, html, rank) => {
    expect(page.composer(dom(html))).toMatchObject({ rank, element: { className: 'ProseMirror' } });
  });

  it('is missing in a page without one', () => {
    expect(page.composer(dom('<p>Loading</p>'))).toBeNull();
  });

  it('has its paragraphs and breaks as lines, also empty ones', () => {
    const text = (inner: string) => {
      const composer = page.composer(dom(COMPOSER.replace('<p></p>', inner)));
      return composer && page.composedText(composer);
    };
    const empty = '<p><br class="ProseMirror-trailingBreak"></p>';
    expect(text(empty)).toBe('');
    expect(
      text(`<p>one <strong>bold</strong></p>${empty}<p>two<br>three<br class="ProseMirror-trailingBreak"></p>`),
    ).toBe('one bold\n\ntwo\nthree');
    expect(text('<pre><code class="language-baa">@a::b\n</code></pre>')).toBe('```baa\n@a::b\n\n```');
  });

  it('sends by a button that is enabled, found by its name or by a label in another language', () => {
    expect(page.sendButton(dom('<button data-testid="chat-input-send">x</button>'))).toMatchObject({ rank: 0 });
    expect(page.sendButton(dom('<button aria-label="Nachricht senden">x</button>'))).not.toBeNull();
    for (const state of ['disabled', 'aria-disabled="true"']) {
      expect(page.sendButton(dom(`<button data-testid="chat-input-send" ${state}>x</button>`))).toBeNull();
    }
  });

  it('counts its attachments, and none of a message that was sent', () => {
    const file = '<div data-testid="file-thumbnail">a.pdf</div>';
    const sent = `<div data-testid="transcript-row" data-perf-row="human">${file}</div>`;
    const sentBefore = `<div class="group">${file}<div data-testid="user-message">hi</div></div>`;
    const count = (html: string) => page.attachments?.(dom(html));
    expect(count(COMPOSER)).toBe(0);
    expect(count(`<fieldset>${COMPOSER}${file}</fieldset>`)).toBe(1);
    expect(count(`<main>${sent}<div><div>${COMPOSER}</div>${file}</div></main>`)).toBe(1);
    expect(count(`${file}<div>${COMPOSER}</div>`)).toBe(1);
    expect(count(`<main>${sent}<div>${COMPOSER}</div></main>`)).toBe(0);
    expect(count(`<main>${sentBefore}<fieldset>${COMPOSER}</fieldset></main>`)).toBe(0);
    expect(count(`<main>${sentBefore}<div>${COMPOSER}</div></main>`)).toBe(0);
  });
});

describe('An answer of claude.ai', () => {
  it.each([
    ['a button that stops', '<button data-testid="chat-input-stop">x</button>'],
    ['such a button in another language', '<button aria-label="停止响应">x</button>'],
    ['a message that is streaming', '<div data-is-streaming="true">x</div>'],
  ])('is being written while the page shows %s', (_name, html) => {
    expect(page.isAnswering(dom(html))).toBe(true);
  });

  it('is not being written otherwise', () => {
    expect(page.isAnswering(dom(`${COMPOSER}<div data-is-streaming="false">x</div>`))).toBe(false);
  });
});

const code = (language: string, text: string) =>
  `<div><div>${language}<button>Copy</button></div><pre><code class="language-${language}">${text}</code></pre></div>`;

describe('The messages that claude.ai shows', () => {
  const merged = (assistantKey: string, attributes = '') => `
    <div data-testid="transcript-row" data-perf-row="human" data-turn-key="${HUMAN}">
      <div data-testid="user-message"><p>first line</p><p>second line</p></div></div>
    <div data-testid="transcript-row" data-perf-row="assistant" ${assistantKey}>
      <div data-testid="assistant-message" ${attributes}><p>Sure</p>${code('baa', '@a::b\n')}${code('js', '1')}</div></div>`;

  it('are rows with the role, the id, the text and the blocks', () => {
    const [user, assistant] = page.turns(dom(merged(`data-turn-key="${ANSWER}"`)));
    expect(user).toMatchObject({
      role: 'user',
      id: HUMAN,
      isFinished: true,
      text: 'first line\nsecond line',
      blocks: [],
    });
    expect(assistant).toMatchObject({
      role: 'assistant',
      id: ANSWER,
      answersId: null,
      isFinished: true,
      blocks: [{ text: '@a::b\n' }],
    });
  });

  it('name the first answer to a message by that message', () => {
    expect(page.turns(dom(merged(`data-turn-key="${HUMAN}-hub-reply"`)))[1]).toMatchObject({
      id: null,
      answersId: HUMAN,
    });
  });

  it('have no id while the key is missing', () => {
    expect(page.turns(dom(merged('')))[1]).toMatchObject({ id: null, answersId: null });
  });

  it('are not finished while they stream, and their blocks are not whole', () => {
    const streaming = page.turns(dom(merged('', 'data-is-streaming="true"')))[1];
    expect(streaming).toMatchObject({ isFinished: false, blocks: [{ text: null }] });
    const running = page.turns(dom(`${merged('')}<button data-testid="chat-input-stop"></button>`));
    expect(running.map((turn) => turn.isFinished)).toEqual([true, false]);
  });

  it.each([
    ['rows by another attribute', '<div data-perf-row="human">a</div><div data-perf-row="assistant">b</div>'],
    ['messages by their names', '<div data-testid="user-message">a</div><div data-testid="assistant-message">b</div>'],
    ['messages by older classes', '<div data-testid="user-message">a</div><div class="font-claude-response">b</div>'],
    [
      'messages by still older classes',
      '<div data-testid="user-message">a</div><div class="font-claude-message">b</div>',
    ],
  ])('are found as %s', (_name, html) => {
    expect(page.turns(dom(html)).map(({ role, text }) => [role, text])).toEqual([
      ['user', 'a'],
      ['assistant', 'b'],
    ]);
  });

  it('are nameless for good only in a page that has no rows', () => {
    const nameless = (html: string) => page.turns(dom(html)).map(({ isNameless }) => isNameless);
    expect(nameless(merged(''))).toEqual([false, false]);
    const bare = '<div data-testid="user-message">a</div><div class="font-claude-response">b</div>';
    expect(nameless(bare)).toEqual([true, true]);
  });

  it('name the language of a block in its header where the code has no class', () => {
    const html = '<div class="font-claude-message"><div>BAA<button>Copy</button></div><pre>@a::b</pre></div>';
    expect(page.turns(dom(html))[0]?.blocks).toEqual([{ text: '@a::b' }]);
  });

  it('have no blocks of thinking', () => {
    const html = `<div data-testid="assistant-message"><div data-testid="thinking-block">${code('baa', 'x')}</div></div>`;
    expect(page.turns(dom(html))[0]?.blocks).toEqual([]);
  });
});

describe('What keeps claude.ai from sending', () => {
  const kind = (html: string, path?: string) => page.obstacle(dom(html, path))?.kind ?? null;

  it.each([
    ['a security check', 'challenge', '<form id="challenge-form"></form>', undefined],
    ['the address of a security check', 'challenge', COMPOSER, '/api/challenge_redirect?to=x'],
    ['the page for signing in', 'signed_out', '<h1>Welcome</h1>', '/login?returnTo=%2Fnew'],
    ['a form for signing in', 'signed_out', '<form><input type="email"></form>', '/new'],
    [
      'an older version',
      'old_version',
      `${COMPOSER}<div data-cds="Banner">Earlier <button data-testid="hub-earlier-version-back">Back</button></div>`,
      undefined,
    ],
    [
      'a question about a tool',
      'permission',
      `${COMPOSER}<div role="dialog" aria-modal="true">Allow x?</div>`,
      undefined,
    ],
    ['buttons that allow a tool', 'permission', `${COMPOSER}<div>Use x?<button>Allow once</button></div>`, undefined],
    ['a limit', 'limit', `${COMPOSER}<div data-cds="Banner">You've hit your limit</div>`, undefined],
    ['a limit in another language', 'limit', `${COMPOSER}<div role="alert">使用量の上限に達しました</div>`, undefined],
  ])('is %s', (_name, expected, html, path) => {
    expect(kind(html, path)).toBe(expected);
  });

  it('is nothing in an ordinary page, also when words of a conversation speak of limits', () => {
    const talk = '<div data-testid="assistant-message">The limit of a sequence. <button>Copy</button></div>';
    expect(kind(`${COMPOSER}${talk}<div role="alert">Copied</div>`)).toBeNull();
  });

  it('has the time when a limit ends, from a time element or from a clock', () => {
    const limit = (text: string) =>
      page.obstacle(dom(`${COMPOSER}<div data-cds="Banner">Limit reached, resets ${text}</div>`));
    expect(limit('<time datetime="2026-11-26T05:00:00Z">later</time>')?.resetsAt).toBe(Date.UTC(2026, 10, 26, 5));
    expect(limit('at 5:00 PM')?.resetsAt).toBeGreaterThan(Date.now());
    expect(limit('soon')?.resetsAt).toBeNull();
  });
});

describe('The login of claude.ai', () => {
  it('is fresh with a composer, lost at the page for signing in, stale at a security check', () => {
    expect(page.login(dom(COMPOSER))).toEqual({ login: 'fresh', account: null });
    expect(page.login(dom('', '/login'))).toEqual({ login: 'lost', account: null });
    expect(page.login(dom('<div id="challenge-running"></div>'))).toEqual({ login: 'stale', account: null });
    expect(page.login(dom('<p>Loading</p>'))).toBeNull();
  });
});

describe('Reading a conversation from claude.ai', () => {
  const url = `${BASE}/api/organizations/${ORGANIZATION}/chat_conversations/${CONVERSATION}?tree=True&rendering_mode=messages&render_all_tools=true`;

  it('asks for the tree by the organisation of the cookie', () => {
    const request = page.readingRequest(dom(''), ADDRESS, `a=b; lastActiveOrg=${ORGANIZATION}; c=d`);
    expect(request).toEqual({ url, method: 'GET', headers: { accept: 'application/json' }, body: null });
  });

  it('falls back to the organisation of the requests that the page has made', () => {
    const document = dom('');
    const name = `${BASE}/api/organizations/${ORGANIZATION}/chat_conversations/x`;
    const performance = { getEntriesByType: () => [{ name: `${BASE}/x.js` }, { name }] };
    Object.defineProperty(document.defaultView, 'performance', { value: performance });
    expect(page.readingRequest(document, ADDRESS, '')?.url).toBe(url);
  });

  it('asks for nothing without an organisation or a lasting id', () => {
    expect(page.readingRequest(dom(''), ADDRESS, 'lastActiveOrg=none')).toBeNull();
    const temporary = { kind: 'temporary', conversationId: null } as const;
    expect(page.readingRequest(dom(''), temporary, `lastActiveOrg=${ORGANIZATION}`)).toBeNull();
  });

  it('finds the conversation that the page marks as open', () => {
    const link = (marks: string) =>
      dom(`<nav><a href="/chat/${HUMAN}">a</a><a href="/chat/${CONVERSATION}?x" ${marks}>b</a></nav>`);
    expect(page.shownConversation(link('aria-current="page"'))).toBe(CONVERSATION);
    expect(page.shownConversation(link(''))).toBeNull();
  });
});
