/** The page of claude.ai: its composer, its buttons, and the request that reads a conversation. */
import type { PageAddress } from '../facts.ts';
import { findFirst, isEnabled } from '../find.ts';
import type { Composer, Found, ReadingRequest, SitePage } from '../page.ts';
import { CHAT_PATH, isUuid, ORGANIZATION_COOKIE, ORGANIZATION_IN_PATH, treeUrl } from './endpoints.ts';
import { login, obstacle } from './page-obstacles.ts';
import { newestTurns, turns } from './page-turns.ts';
import { ATTACHMENT, BARE_MESSAGE, COMPOSER, OPEN_CONVERSATION, ROW, SEND, STOP, STREAMING } from './selectors.ts';

/** A paste of more than about 4,000 characters becomes an attachment. */
const CHUNK_CHARS = 3_000;
const MESSAGE = [...ROW, BARE_MESSAGE].join();
/** ProseMirror gives an empty line a break that is no text. */
const PLACEHOLDER_BREAK = 'ProseMirror-trailingBreak';

export const CLAUDE_PAGE: SitePage = {
  shownConversation,
  composer,
  composedText,
  attachments,
  sendButton,
  isAnswering,
  turns,
  newestTurns,
  obstacle: (document) => obstacle(document),
  login,
  readingRequest,
};

function shownConversation(document: Document): string | null {
  const link = findFirst(document, OPEN_CONVERSATION)?.element.getAttribute('href') ?? '';
  return CHAT_PATH.exec(link.replace(/[?#].*$/, ''))?.[1] ?? null;
}

function composer(document: Document): Composer | null {
  const found = findFirst(document, COMPOSER);
  return found && { ...found, methods: ['lines', 'paste', 'insert'], chunkChars: CHUNK_CHARS };
}

function composedText({ element }: Composer): string {
  return [...element.children].map(blockText).join('\n');
}

/** One block of the editor. It may have made a code block of what was typed. */
function blockText(block: Element): string {
  const code = block.matches('pre') ? block.querySelector('code') : null;
  if (code) {
    const language = [...code.classList].find((name) => name.startsWith('language-'))?.slice('language-'.length) ?? '';
    return `\`\`\`${language}\n${code.textContent ?? ''}\n\`\`\``;
  }
  return lineText(block);
}

function lineText(parent: Element): string {
  return [...parent.childNodes]
    .map((node) => {
      if (node.nodeName === 'BR') return (node as Element).classList.contains(PLACEHOLDER_BREAK) ? '' : '\n';
      return node.childNodes.length > 0 ? lineText(node as Element) : (node.textContent ?? '');
    })
    .join('');
}

function attachments(document: Document): number {
  const place = composerPlace(document);
  return ATTACHMENT.map((selector) => place?.querySelectorAll(selector).length ?? 0).find((count) => count > 0) ?? 0;
}

/** Around the composer without any message: a message that was sent shows its files under the same names. */
function composerPlace(document: Document): Element | null {
  const composer = findFirst(document, COMPOSER)?.element;
  const form = composer?.closest('fieldset, form');
  if (composer === undefined || form) return form ?? null;
  let place: Element = composer;
  for (let outer = place.parentElement; outer && !outer.querySelector(MESSAGE); outer = outer.parentElement)
    place = outer;
  return place;
}

function sendButton(document: Document): Found | null {
  return findFirst(document, SEND, isEnabled);
}

function isAnswering(document: Document): boolean {
  return findFirst(document, STOP) !== null || findFirst(document, STREAMING) !== null;
}

/** The tree is read by the organisation, which the page knows by a cookie or by its own requests. */
function readingRequest(document: Document, { conversationId }: PageAddress, cookies: string): ReadingRequest | null {
  const organizationId = organizationIn(cookies) ?? organizationOfRequests(document);
  if (conversationId === null || organizationId === null) return null;
  const url = treeUrl(organizationId, conversationId);
  return { url, method: 'GET', headers: { accept: 'application/json' }, body: null };
}

function organizationIn(cookies: string): string | null {
  const [, value] = ORGANIZATION_COOKIE.exec(cookies) ?? [];
  return isUuid(value) ? value : null;
}

function organizationOfRequests({ defaultView }: Document): string | null {
  const entries = defaultView?.performance?.getEntriesByType?.('resource') ?? [];
  for (const { name } of [...entries].reverse()) {
    const [, organizationId] = ORGANIZATION_IN_PATH.exec(name) ?? [];
    if (organizationId) return organizationId;
  }
  return null;
}
