/** What ChatGPT's page proves about its newest answer. */
import { JSDOM } from 'jsdom';
import { describe, expect, it } from 'vitest';
import { page } from '../../../../../extension/sites/chatgpt/page/page.ts';
import { A1, C, U1 } from './scene.ts';

const finalIn = (body: string) =>
  page.finalAnswer?.(
    new JSDOM(`<!doctype html><html><body>${body}</body></html>`, { url: `https://chatgpt.com/c/${C}` }).window
      .document,
  );

const COPY = '<button data-testid="copy-turn-action-button"></button>';
const question = `<section data-testid="conversation-turn-1"><div data-message-id="${U1}" data-message-author-role="user">please</div></section>`;
const legacy = (inner: string, { id = A1, after = COPY, extra = '' } = {}) =>
  `${question}<section data-testid="conversation-turn-2">${extra}
   <div data-message-id="${id}" data-message-author-role="assistant"><div class="markdown prose">${inner}</div></div>${after}</section>`;
const shell = (inner: string, { text = '', controls = '<div class="turn-action-controls"></div>' } = {}) =>
  `<div data-turn-key="u"><div data-chatgpt-search-unit-key="u:user" data-chatgpt-search-message-ids="${U1}">please</div></div>
   <div data-turn-key="k"><div data-chatgpt-search-unit-key="k:assistant" data-chatgpt-search-message-ids="t1 ${A1}">${text}
   <div data-markdown-text-style="assistant-message">${inner}</div></div>${controls}</div>`;
const BLOCK = '<pre><div>baa<button>Copy</button></div><code class="language-baa">@conductor::status\n</code></pre>';
const shellBlock = (inner: string, language = 'baa') =>
  `<div data-markdown-copy="code-block"><div data-markdown-copy="exclude"><span>${language}</span><button>Copy</button></div>${inner}</div>`;
const SHELL_BLOCK = shellBlock('<pre><code>@conductor::status\n</code></pre>');

describe("The final answer in ChatGPT's page", () => {
  const expected = { isFinal: true, id: A1, questionId: U1, blocks: ['@conductor::status'] };

  it.each([
    ['ends with a block', legacy(`<p>I look.</p>${BLOCK}`)],
    ['ends with a block in the app shell', shell(`<p>I look.</p>${SHELL_BLOCK}`)],
  ])('is its blocks and its question when it %s', (_what, html) => {
    expect(finalIn(html)).toEqual(expected);
  });

  it('may have several blocks behind each other', () => {
    expect(finalIn(legacy(`<p>x</p>${BLOCK}\n${BLOCK}`))).toMatchObject({ blocks: Array(2).fill(expected.blocks[0]) });
  });

  it.each([
    ['not_finished', 'has no marks of a finished turn', legacy(BLOCK, { after: '' })],
    ['not_finished', 'has no id', legacy(BLOCK, { id: '' })],
    ['not_finished', 'is not there', question],
    ['answer_is_streaming', 'is being written', `${legacy(BLOCK)}<button data-testid="stop-button"></button>`],
    ['answer_is_streaming', 'is animated', shell(`<p data-markdown-animated>x</p>${SHELL_BLOCK}`)],
    ['obstacle', 'could be continued', `${legacy(BLOCK)}<button data-testid="continue-generating-button"></button>`],
    ['obstacle', 'is one of two', `${legacy(BLOCK)}<div data-testid="paragen-root"></div>`],
    ['obstacle', 'has failed', `${legacy(BLOCK)}<button data-testid="regenerate-thread-error-button"></button>`],
    [
      'several_messages',
      'is the second message of its turn',
      legacy(BLOCK, {
        extra: `<div data-message-id="m0" data-message-author-role="assistant"><div class="markdown">x</div></div>`,
      }),
    ],
    [
      'several_texts',
      'is beside commentary',
      shell(SHELL_BLOCK, { text: '<div data-markdown-text-style="assistant-message">First I think.</div>' }),
    ],
    ['block_outside_answer', 'has a block in its thoughts too', legacy(BLOCK, { extra: BLOCK })],
    ['no_block', 'has no block', legacy('<p>Done.</p>')],
    ['no_block', 'has a block of another language only', legacy('<pre><code class="language-js">x</code></pre>')],
    ['block_inside_other', 'has its block in a list', legacy(`<ul><li>${BLOCK}</li></ul>`)],
    ['block_inside_other', 'has its block in a quotation', legacy(`<blockquote>${BLOCK}</blockquote>`)],
    ['text_behind_block', 'goes further behind its block', legacy(`${BLOCK}<p>npm test</p>${BLOCK}`)],
    ['text_behind_block', 'has a block behind it', legacy(`${BLOCK}<pre><code class="language-js">x</code></pre>`)],
    ['text_behind_block', 'has an empty code block behind it', legacy(`${BLOCK}<pre><code></code></pre>`)],
    ['text_behind_block', 'has an image behind it', legacy(`${BLOCK}<p><img src="x"></p>`)],
    [
      'block_in_capitals',
      'has a block whose header says BAA, which the text may say too',
      shell(shellBlock('<pre><code>@conductor::status\n</code></pre>', 'BAA')),
    ],
    [
      'block_in_capitals',
      'has such a block before one in small letters',
      shell(`${shellBlock('<pre><code>x\n</code></pre>', 'Baa')}${SHELL_BLOCK}`),
    ],
    ['no_block', 'has a block whose fence says BAA', legacy('<pre><code class="language-BAA">x</code></pre>')],
    [
      'block_not_whole',
      'has a block that is drawn in part',
      shell(
        shellBlock(
          '<div class="cm-content" data-language="baa"><div class="cm-line">a</div><div class="cm-gap"></div></div>',
        ),
      ),
    ],
  ])('is none (%s) when it %s', (reason, _what, html) => {
    expect(finalIn(html)).toEqual({ isFinal: false, reason });
  });
});
