/** The chat sites that are measured, each in the forms that it has today. */
import { chatgpt, claude, gemini } from '../../support/whole-path/chat-sites.ts';
import type { Staged } from './stage.ts';

const RPC = '/claudeai-rpc/anthropic.bard.api.v1alpha.ConversationService/StreamTimeline';
const READING = /\/chat_conversations\/[^/]+$/;
const COMPLETION = '/api/organizations/*/chat_conversations/*/completion';

export const chatgptStaged = (): Staged => ({
  chat: chatgpt('legacy', 'delta'),
  stream: { path: /\/f\/conversation$/, pattern: 'https://chatgpt.com/backend-api/f/conversation' },
  stopButton: '[data-testid=stop-button]',
});

/** Every site, new each time. */
export const stagedSites = (): Staged[] => [
  chatgptStaged(),
  {
    chat: claude('merged'),
    stream: { path: /\/StreamTimeline$/, pattern: `https://claude.ai${RPC}` },
    reading: READING,
    stopButton: '[data-testid=chat-input-stop]',
  },
  {
    chat: claude('legacy'),
    stream: { path: /\/completion$/, pattern: `https://claude.ai${COMPLETION}` },
    reading: READING,
    stopButton: 'button[aria-label="Stop response"]',
  },
  {
    chat: gemini(),
    stream: { path: /\/StreamGenerate$/, pattern: 'https://gemini.google.com/*StreamGenerate*' },
    stopButton: 'button.send-button.stop',
  },
];
