/** The fake chat sites in one vocabulary: what an assistant says next, how a person writes, what the server received. */
import type { Platform } from '../../../schema/contracts/common.ts';
import { ChatgptSite } from '../sites/chatgpt/chatgpt-site.ts';
import type { Turn } from '../sites/chatgpt/turn.ts';
import { FakeClaude } from '../sites/claude/fake-claude.ts';
import type { FakeClaudeOptions } from '../sites/claude/page-files.ts';
import type { FirefoxTab } from '../sites/firefox-tab.ts';
import { FakeGemini } from '../sites/gemini/gemini.ts';
import type { FakeSite } from '../sites/site.ts';

export interface ChatSite {
  name: string;
  platform: Platform;
  site: FakeSite;
  /** Where a person starts a new conversation. */
  newChatUrl: string;
  /** The address of a conversation that exists. */
  conversationAddress: RegExp;
  /** The assistant's next message. `everyMs`: written in about ten parts with that time between two of them. */
  assistantSays(text: string, everyMs?: number): void;
  /** The person's messages that the server has, oldest first. */
  received(): string[];
  composer: string;
  sendButton: string;
}

const UUID = '[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}';

export function chatgpt(renderer: 'legacy' | 'app-shell', transport: NonNullable<Turn['transport']>): ChatSite {
  const site = new ChatgptSite();
  site.control.renderer = renderer;
  return {
    name: `ChatGPT (${renderer}, ${transport})`,
    platform: 'chatgpt',
    site,
    newChatUrl: 'https://chatgpt.com/',
    conversationAddress: new RegExp(`^https://chatgpt\\.com/c/${UUID}$`),
    assistantSays(text, everyMs) {
      const pace = everyMs !== undefined && { pace: { pieceBytes: Math.ceil(text.length / 2), everyMs } };
      site.control.turns.push({ text, transport, ...pace });
    },
    received: () => site.sent.map(({ text }) => text),
    composer: renderer === 'legacy' ? '#prompt-textarea' : '[data-app-shell-active-page=true] [role=textbox]',
    sendButton:
      renderer === 'legacy'
        ? '[data-testid=send-button]'
        : '[data-app-shell-active-page=true] button.bg-composer-primary',
  };
}

export function claude(accounts: FakeClaudeOptions['accounts']): ChatSite {
  const site = new FakeClaude({ accounts });
  return {
    name: `Claude (${accounts})`,
    platform: 'claude',
    site,
    newChatUrl: 'https://claude.ai/new',
    conversationAddress: new RegExp(`^https://claude\\.ai/chat/${UUID}$`),
    assistantSays: (text, everyMs) =>
      void site.answers.push({ text, ...(everyMs !== undefined && { pieces: 10, everyMs }) }),
    received: () => site.sends.map(({ text }) => text),
    composer: '[contenteditable=true].ProseMirror',
    sendButton: accounts === 'merged' ? '[data-testid=chat-input-send]' : 'button[aria-label="Send message"]',
  };
}

export function gemini(): ChatSite {
  const site = new FakeGemini();
  return {
    name: 'Gemini',
    platform: 'gemini',
    site,
    newChatUrl: 'https://gemini.google.com/app',
    conversationAddress: /^https:\/\/gemini\.google\.com\/app\/[0-9a-f]{10,}$/,
    assistantSays: (text, everyMs) => void site.plans.push({ text, ...(everyMs !== undefined && { everyMs }) }),
    received: () => site.sends.map(({ text }) => text),
    composer: 'rich-textarea .ql-editor',
    sendButton: 'button.send-button',
  };
}

/**
 * A person writes into the composer of the page and presses its button. The text comes without keys, as that of a clipboard
 * does: after keys a reply waits until the person has surely stopped typing.
 */
export async function personWrites(tab: FirefoxTab, site: ChatSite, text: string): Promise<void> {
  await tab.until((composer) => document.querySelector(composer) !== null, site.composer);
  await tab.click(site.composer);
  await tab.evaluate((written) => void document.execCommand('insertText', false, written), text);
  await tab.until((button) => document.querySelector(button) !== null, site.sendButton);
  await tab.click(site.sendButton);
}
