/** What a look at a page reads of its document: no more in a long conversation than in a short one. */
import { JSDOM } from 'jsdom';
import { expect, test } from 'vitest';
import { lookAt } from '../../../../extension/content/look.ts';
import { giveOpinion } from '../../../../extension/content/opinion.ts';
import { SITES } from '../../../../extension/sites/registry.ts';
import type { Site } from '../../../../extension/sites/site.ts';
import { TestClock } from '../../../support/test-clock.ts';

const BLOCK = '<pre><code class="language-baa">@a::b</code></pre>';
const GEMINI_BLOCK = `<code-block><div class="code-block-decoration"><span>Baa</span></div>${BLOCK}</code-block>`;
const uuid = (n: number) => `00000000-0000-4000-8000-${String(n).padStart(12, '0')}`;
const hex = (n: number) => n.toString(16).padStart(16, '0');

/** A question and its answer, the `n`th of a conversation, as each site's page has them. */
const PAIRS: Record<Site['platform'], (n: number) => string> = {
  chatgpt: (n) => `
    <article data-testid="conversation-turn-${2 * n}"><div data-message-id="u${n}" data-message-author-role="user">
      <div class="whitespace-pre-wrap">question</div></div></article>
    <article data-testid="conversation-turn-${2 * n + 1}"><div data-message-id="a${n}" data-message-author-role="assistant">
      <div class="markdown prose"><p>text</p>${BLOCK}</div></div>
      <button data-testid="copy-turn-action-button"></button></article>`,
  claude: (n) => `
    <div data-testid="transcript-row" data-perf-row="human" data-turn-key="${uuid(2 * n)}">
      <div data-testid="user-message"><p>question</p></div></div>
    <div data-testid="transcript-row" data-perf-row="assistant" data-turn-key="${uuid(2 * n + 1)}">
      <div data-testid="assistant-message"><p>text</p>${BLOCK}</div></div>`,
  gemini: (n) => `
    <user-query><div class="query-text"><p class="query-text-line">question</p></div></user-query>
    <model-response><message-content><div class="markdown" id="model-response-message-contentr_${hex(n)}"><p>text</p>
      ${GEMINI_BLOCK}</div></message-content><div class="response-footer complete"></div></model-response>`,
};
/** The `n`th answer, as the network names it. */
const NAMES: Record<Site['platform'], (n: number) => { messageId: string; answersId: string | null }> = {
  chatgpt: (n) => ({ messageId: `a${n}`, answersId: null }),
  claude: (n) => ({ messageId: uuid(2 * n + 1), answersId: null }),
  gemini: (n) => ({ messageId: `rc_${hex(n)}`, answersId: `r_${hex(n)}` }),
};

/** A page with that many pairs, and how often a single element, or its text, was asked since the last call of `reads`. */
function conversation(platform: Site['platform'], pairs: number) {
  const html = Array.from({ length: pairs }, (_, n) => PAIRS[platform](n)).join('');
  const { window } = new JSDOM(`<!doctype html><body>${html}</body>`, { url: 'https://chat.example/' });
  const { document } = window;
  let count = 0;
  const counted = (prototype: object, name: string) => {
    const descriptor = Object.getOwnPropertyDescriptor(prototype, name);
    if (descriptor === undefined) throw new Error(`there is no ${name}`);
    const { get, value } = descriptor as { get?: () => unknown; value?: (...args: unknown[]) => unknown };
    const wrapped = function wrapped(this: unknown, ...args: unknown[]) {
      count += 1;
      return get === undefined ? value?.apply(this, args) : get.call(this);
    };
    Object.defineProperty(prototype, name, {
      ...descriptor,
      ...(get === undefined ? { value: wrapped } : { get: wrapped }),
    });
  };
  for (const name of ['closest', 'matches', 'querySelector', 'querySelectorAll']) {
    counted(window.Element.prototype, name);
  }
  for (const name of ['textContent', 'cloneNode']) counted(window.Node.prototype, name);
  const reads = () => {
    const before = count;
    count = 0;
    return before;
  };
  return { document, reads };
}

test.each(SITES)('a look costs the same in a long conversation: $platform', (site) => {
  const cost = (pairs: number) => {
    const { document, reads } = conversation(site.platform, pairs);
    const look = lookAt({ document, location: document.location, site, typedAt: () => null, now: () => 0 });
    expect(look.lastAnswer).toMatchObject({ isFinished: true });
    return reads();
  };
  expect(cost(40)).toBe(cost(15));
});

test.each(SITES)('an opinion costs the same in a long conversation: $platform', async (site) => {
  const cost = async (pairs: number) => {
    const { document, reads } = conversation(site.platform, pairs);
    const order = { ...NAMES[site.platform](pairs - 1), blocks: ['@a::b'], timeoutMs: 2_000, drawingMs: 10_000 };
    expect(await giveOpinion({ document, page: site.page, clock: new TestClock() }, order)).toBe('agrees');
    return reads();
  };
  expect(await cost(40)).toBe(await cost(15));
});

test.each(SITES)(
  'an opinion on an answer that the page does not show yet costs the same, too: $platform',
  async (site) => {
    const cost = async (pairs: number) => {
      const { document, reads } = conversation(site.platform, pairs);
      const clock = new TestClock();
      const order = { ...NAMES[site.platform](pairs), blocks: ['@a::b'], timeoutMs: 2_000, drawingMs: 10_000 };
      const given = giveOpinion({ document, page: site.page, clock }, order);
      const first = reads();
      clock.advance(2_000);
      expect(await given).toBe('absent');
      return first;
    };
    expect(await cost(40)).toBe(await cost(15));
  },
);
