/** A page of no real site: one editor, one button. Its text is read from the document, as a site's page is. */
import type { PageAddress } from '../../../extension/sites/facts.ts';
import type { Composer, SitePage, TypingMethod } from '../../../extension/sites/page.ts';

export function plainAddress(url: URL): PageAddress {
  const [, conversationId = null] = /^\/c\/([a-z0-9-]+)$/.exec(url.pathname) ?? [];
  return { kind: conversationId === null ? 'new' : 'conversation', conversationId };
}

/** One line for each block; the last line break of a block is there for the caret only. */
function lineOf(block: Node): string {
  const { childNodes } = block;
  const parts = [...childNodes].map((node, index) => {
    if (node.nodeName === 'BR') return index === childNodes.length - 1 ? '' : '\n';
    return node.hasChildNodes() ? lineOf(node) : (node.textContent ?? '');
  });
  return parts.join('');
}

export const plainPage: SitePage = {
  shownConversation: (document) => document.documentElement.dataset.conversation ?? null,
  composer(document): Composer | null {
    const element = document.querySelector<HTMLElement>('#composer');
    if (element === null) return null;
    const { methods = 'lines', chunk } = document.documentElement.dataset;
    return {
      element,
      selector: '#composer',
      rank: 0,
      methods: methods.split(' ') as TypingMethod[],
      chunkChars: chunk === undefined ? null : Number(chunk),
    };
  },
  composedText: ({ element }) =>
    element instanceof HTMLTextAreaElement ? element.value : [...element.children].map(lineOf).join('\n'),
  attachments: (document) => document.querySelectorAll('[data-fake-attachment]').length,
  sendButton(document) {
    const element = document.querySelector<HTMLButtonElement>('#send');
    return element === null || element.disabled ? null : { element, selector: '#send', rank: 0 };
  },
  isAnswering: (document) => document.querySelector('#stop') !== null,
  turns: () => [],
  newestTurns: () => [],
  obstacle: () => null,
  login: () => null,
  readingRequest: () => null,
};
