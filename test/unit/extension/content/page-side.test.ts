/** The content script's own parts, in a document of jsdom. */
import { JSDOM } from 'jsdom';
import { describe, expect, it } from 'vitest';
import { callListener } from '../../../../extension/content/calls.ts';
import { lookAt } from '../../../../extension/content/look.ts';
import { giveOpinion } from '../../../../extension/content/opinion.ts';
import { readConversation } from '../../../../extension/content/read.ts';
import { viewOf } from '../../../../extension/content/view.ts';
import { watchPage } from '../../../../extension/content/watch.ts';
import type { ReadingRequest } from '../../../../extension/sites/page.ts';
import { ORIGIN, testPage, testSite } from '../../../support/extension/test-site.ts';
import { TestClock } from '../../../support/test-clock.ts';

const URL_OF_C1 = `${ORIGIN}/c/c1`;

function pageWith(html: string) {
  const { window } = new JSDOM(`<body>${html}</body>`, { url: URL_OF_C1, pretendToBeVisual: true });
  return { window, document: window.document, location: window.location };
}

const answer = (blocks: string, { id = 'a1', finished = true } = {}) =>
  `<div data-role="assistant" data-id="${id}" data-finished="${finished}">text ${blocks}</div>`;

/** How long an opinion may take, and how long it may while the page draws. */
const TIMES = { timeoutMs: 2_000, drawingMs: 10_000 };

describe('the second opinion', () => {
  async function opinion(html: string, blocks: readonly string[], later?: (document: Document) => void) {
    const { document } = pageWith(html);
    const clock = new TestClock();
    const given = giveOpinion({ document, page: testPage, clock }, { messageId: 'a1', blocks, ...TIMES });
    clock.advance(500);
    later?.(document);
    clock.advance(10_000);
    return given;
  }

  it.each([
    ['agrees', 'the blocks are the same but for white space', answer('<pre>a\n   b</pre><pre>c</pre>'), ['a b\n', 'c']],
    ['agrees', 'neither has a block', answer(''), []],
    ['differs', 'a block has another text', answer('<pre>a b</pre>'), ['a c']],
    ['differs', 'the page has a block more', answer('<pre>a</pre><pre>b</pre>'), ['a']],
    ['differs', 'the page has a block less', answer('<pre>a</pre>'), ['a', 'b']],
    ['differs', 'the blocks have another order', answer('<pre>b</pre><pre>a</pre>'), ['a', 'b']],
    ['absent', 'a block is not rendered whole', answer('<pre data-cut="true">a</pre>'), ['a b']],
    ['absent', 'the message is not finished', answer('<pre>a</pre>', { finished: false }), ['a b']],
    ['absent', 'the page shows another message only', answer('<pre>a</pre>', { id: 'a2' }), ['a']],
    ['absent', 'the page shows nothing', '', ['a']],
  ])('%s when %s', async (expected, _what, html, blocks) => {
    expect(await opinion(html, blocks)).toBe(expected);
  });

  it('waits until the page has rendered the message', async () => {
    const given = opinion('', ['a b'], (document) => {
      document.body.innerHTML = answer('<pre>a b</pre>');
    });
    expect(await given).toBe('agrees');
  });

  it.each([
    ['agrees', '<pre>a b</pre>'],
    ['differs', '<pre>a c</pre>'],
  ])('waits longer while the page still draws the message, and then %s', async (expected, drawn) => {
    const { document } = pageWith(answer('', { finished: false }));
    const clock = new TestClock();
    const order = { messageId: 'a1', blocks: ['a b'], ...TIMES };
    const given = giveOpinion({ document, page: testPage, clock }, order);
    clock.advance(9_000);
    document.body.innerHTML = answer(drawn);
    clock.advance(200);
    expect(await given).toBe(expected);
  });

  it('is given within its time when the page shows a finished message with other blocks', async () => {
    const { document } = pageWith(answer('<pre>a c</pre>'));
    const clock = new TestClock();
    const given = giveOpinion({ document, page: testPage, clock }, { messageId: 'a1', blocks: ['a b'], ...TIMES });
    clock.advance(TIMES.timeoutMs);
    expect(await given).toBe('differs');
    expect(clock.pendingTimers).toBe(0);
  });

  it('is given at the change that renders the message, without waiting for a timer', async () => {
    const { document } = pageWith(answer('', { finished: false }));
    const clock = new TestClock();
    const given = giveOpinion({ document, page: testPage, clock }, { messageId: 'a1', blocks: ['a'], ...TIMES });
    clock.wallMs += 50;
    document.body.innerHTML = answer('<pre>a</pre>');
    expect(await given).toBe('agrees');
    expect(clock.pendingTimers).toBe(0);
  });

  it('is given at once also when the page draws the message in several changes, one right after the other', async () => {
    const { document } = pageWith(answer('', { finished: false }));
    const clock = new TestClock();
    const given = giveOpinion({ document, page: testPage, clock }, { messageId: 'a1', blocks: ['a'], ...TIMES });
    for (const finished of [false, false, true]) {
      document.body.innerHTML = answer('<pre>a</pre>', { finished });
      await clock.flush();
    }
    expect(await given).toBe('agrees');
    expect(clock.pendingTimers).toBe(0);
  });

  it('takes a tenth of the time at most in a page that changes without end and takes long to read', async () => {
    const { document } = pageWith(answer('', { finished: false }));
    const clock = new TestClock();
    let looks = 0;
    const slow = {
      newestTurns: (from: Document) => {
        looks += 1;
        clock.wallMs += 10;
        return testPage.newestTurns(from);
      },
    };
    void giveOpinion({ document, page: slow, clock }, { messageId: 'a1', blocks: ['a'], ...TIMES });
    const start = clock.now();
    while (clock.now() < start + 1_000) {
      document.body.append('x');
      await clock.flush();
      clock.advance(5);
    }
    // 50 ms at once, and 100 of the second.
    expect(looks).toBeLessThanOrEqual(16);
  });

  it('is given at once by a page that names no message: that it has none', async () => {
    const { document } = pageWith(answer('<pre>a</pre>'));
    const nameless = { id: null, isNameless: true };
    const page = { newestTurns: () => testPage.turns(document).map((turn) => ({ ...turn, ...nameless })) };
    const order = { messageId: 'a1', blocks: ['a'], ...TIMES };
    expect(await giveOpinion({ document, page, clock: new TestClock() }, order)).toBe('nameless');
  });

  it('is absent when the page cannot be read', async () => {
    const page = {
      newestTurns: () => {
        throw new Error('another site');
      },
    };
    const { document } = pageWith('');
    const order = { messageId: 'a1', blocks: [], ...TIMES };
    expect(await giveOpinion({ document, page, clock: new TestClock() }, order)).toBe('absent');
  });
});

describe('what a page shows', () => {
  const site = testSite();

  it('is one value', () => {
    const { document, location } = pageWith(`${answer('', { id: 'a0' })}${answer('', { finished: false })}`);
    document.title = 'A chat';
    document.body.dataset.answering = 'true';
    const look = lookAt({ document, location, site, typedAt: () => 1_000, now: () => 3_500 });
    expect(look).toMatchObject({
      url: URL_OF_C1,
      title: 'A chat',
      address: { kind: 'conversation', conversationId: 'c1' },
      composer: document.readyState === 'complete' ? 'missing' : 'loading',
      typedAgoMs: 2_500,
      isAnswering: true,
      lastAnswer: { id: 'a1', isFinished: false, chars: 5 },
    });
  });

  it.each<[string, string, object]>([
    ['empty', 'nothing', {}],
    ['draft', 'a text', { composedText: () => 'a text' }],
    ['draft', 'an attachment', { attachments: () => 1 }],
    ['busy', 'an answer in progress', { isAnswering: () => true }],
    ['draft', 'an attachment and an answer in progress', { isAnswering: () => true, attachments: () => 1 }],
  ])('has a composer that is %s with %s', (composer, _what, more) => {
    const { document, location } = pageWith('');
    const found = { element: document.body, selector: '', rank: 0, methods: [], chunkChars: null };
    const page = { ...testPage, composer: () => found, ...more };
    const look = lookAt({ document, location, site: { ...site, page }, typedAt: () => null, now: () => 0 });
    expect(look.composer).toBe(composer);
  });

  it('is over when its newest message is an answer that the page marks as finished', () => {
    const question = '<p data-role="user">hi</p>';
    const isOver = (html: string, more: object = { hasFinishMarks: true }) => {
      const { document, location } = pageWith(html);
      const page = { ...testPage, ...more };
      return lookAt({ document, location, site: { ...site, page }, typedAt: () => null, now: () => 0 }).isOver;
    };
    expect(isOver(question + answer(''))).toBe(true);
    expect(isOver(question + answer(''), {})).toBe(false);
    expect(isOver(answer('') + question)).toBe(false);
    expect(isOver(question + answer('', { finished: false }))).toBe(false);
    expect(isOver(question + answer(''), { hasFinishMarks: true, isAnswering: () => true })).toBe(false);
    expect(isOver('')).toBe(false);
  });

  it('is a list of messages for a view', () => {
    const { document, location } = pageWith(`<p data-role="user" data-id="u1">hi</p>${answer('')}`);
    expect(viewOf({ document, location, site })).toEqual({
      conversationId: 'c1',
      messages: [
        { role: 'user', id: 'u1', text: 'hi', isFinished: false },
        { role: 'assistant', id: 'a1', text: 'text ', isFinished: true },
      ],
    });
  });

  it('is looked at after changes only, at most four times a second', async () => {
    const { window, document } = pageWith('');
    const clock = new TestClock();
    let looks = 0;
    watchPage({ window: window as unknown as Window & typeof globalThis, clock, look: () => (looks += 1) });
    clock.advance(60_000);
    expect(looks).toBe(1);
    for (let n = 0; n < 20; n += 1) {
      document.body.append('x');
      await clock.flush();
      clock.advance(50);
    }
    expect(looks).toBeGreaterThan(3);
    expect(looks).toBeLessThanOrEqual(6);
    const before = looks;
    clock.advance(60_000);
    expect(looks).toBeLessThanOrEqual(before + 1);
  });

  it('is looked at less often where a look takes long', async () => {
    const { window, document } = pageWith('');
    const clock = new TestClock();
    let looks = 0;
    const look = () => {
      looks += 1;
      clock.wallMs += 300;
    };
    watchPage({ window: window as unknown as Window & typeof globalThis, clock, look });
    for (let n = 0; n < 100; n += 1) {
      document.body.append('x');
      await clock.flush();
      clock.advance(50);
    }
    expect(looks).toBeLessThanOrEqual(3);
  });
});

describe('a reading of the conversation', () => {
  function read(request: Partial<ReadingRequest> | null = {}, conversationId = 'c1') {
    const { document, location } = pageWith('');
    const asked: string[] = [];
    const base: ReadingRequest = { url: '/api/read/c1', method: 'GET', headers: {}, body: null };
    const page = { ...testPage, readingRequest: () => request && { ...base, ...request } };
    const outcome = readConversation(
      {
        document,
        location,
        site: { ...testSite(), page },
        fetch: async (url) => {
          asked.push(url);
          return new Response('{"x":1}', { headers: { 'content-type': 'application/json; charset=utf-8' } });
        },
      },
      { conversationId, timeoutMs: 1_000 },
    );
    return { outcome, asked };
  }

  it('is the response of the site', async () => {
    const { outcome, asked } = read();
    expect(await outcome).toEqual({
      kind: 'response',
      status: 200,
      contentType: 'application/json',
      isChallenge: false,
      body: '{"x":1}',
    });
    expect(asked).toEqual([`${ORIGIN}/api/read/c1`]);
  });

  it.each([
    ['other_conversation', {}, 'c2'],
    ['not_ready', null, 'c1'],
    ['other_origin', { url: 'https://evil.example/read' }, 'c1'],
    ['other_origin', { otherUrl: 'https://evil.example/read' }, 'c1'],
    ['other_origin', { token: { url: 'https://evil.example/', field: 'x', header: 'x', prefix: '' } }, 'c1'],
  ])('fails with %s for %j', async (reason, request, conversationId) => {
    const { outcome, asked } = read(request, conversationId);
    expect(await outcome).toEqual({ kind: 'failed', reason });
    expect(asked).toEqual([]);
  });
});

describe('a call of the background page', () => {
  const listen = callListener({ view: async () => ({ conversationId: 'c1', messages: [] }) });

  it('is handled by its name', async () => {
    expect(await listen({ to: 'page', call: 'view', order: {} })).toEqual({ conversationId: 'c1', messages: [] });
  });

  it.each([
    null,
    'view',
    { to: 'background', call: 'view' },
    { to: 'page', call: 'toString' },
    { to: 'page', call: 'look' },
  ])('is left to others when it is %j', (message) => {
    expect(listen(message)).toBeUndefined();
  });
});
