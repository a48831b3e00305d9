/** ChatGPT's page, as the content script reads and uses it. */
import type { PageAddress } from '../../facts.ts';
import type { ReadingRequest, SitePage } from '../../page.ts';
import { conversationOfLink, readingUrls, SESSION_URL } from '../endpoints.ts';
import { composedText, countAttachments, findComposer, findSendButton, isAnswering } from './composer.ts';
import { finalAnswerOf } from './final-answer.ts';
import { findShown } from './finding.ts';
import { loginOf, workspaceOf } from './login.ts';
import { obstacleOf } from './obstacle.ts';
import { SELECTORS } from './selectors.ts';
import { newestTurnsOf, turnsOf } from './turns.ts';

export const page: SitePage = {
  shownConversation: (document) => {
    const link = findShown(document, SELECTORS.openConversation)?.element.getAttribute('href');
    return link ? conversationOfLink(link) : null;
  },
  composer: findComposer,
  composedText,
  attachments: countAttachments,
  sendButton: findSendButton,
  isAnswering,
  hasFinishMarks: true,
  turns: turnsOf,
  newestTurns: newestTurnsOf,
  obstacle: (document) => obstacleOf(document, Date.now()),
  finalAnswer: (document) => finalAnswerOf(document, Date.now()),
  login: loginOf,
  workspace: (document) => workspaceOf(document.cookie) ?? '',
  readingRequest,
};

function readingRequest(_document: Document, address: PageAddress, cookies: string): ReadingRequest | null {
  if (address.conversationId === null) return null;
  const { url, olderUrl } = readingUrls(address.conversationId);
  const workspace = workspaceOf(cookies);
  return {
    url,
    method: 'GET',
    headers: { accept: 'application/json', ...(workspace && { 'chatgpt-account-id': workspace }) },
    body: null,
    token: { url: SESSION_URL, field: 'accessToken', header: 'authorization', prefix: 'Bearer ' },
    otherUrl: olderUrl,
  };
}
